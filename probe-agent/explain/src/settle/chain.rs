//! The probes of one 4-tuple that wait, the newest first.

use probe_agent_common::FlowKey;

use super::{Pending, PendingRef, Settling, pending::is_of_socket};
use crate::orphans::without_socket_is_of;

impl Settling {
    /// The newest probe of a 4-tuple that is as wanted.
    pub(super) fn find(
        &self,
        flow: &FlowKey,
        is_wanted: impl Fn(&Pending) -> bool,
    ) -> Option<usize> {
        let mut next = self.newest.get(flow, &self.pending);
        while let Some(index) = next {
            let pending = &self.pending[index];
            if is_wanted(pending) {
                break;
            }
            next = pending.older;
        }
        next
    }

    /// Whether the probe that waited in a place still does, and is the newest of this 4-tuple.
    ///
    /// The last probe of a slot is the newest of its 4-tuple while it waits: a 4-tuple belongs to one
    /// slot, and only a later probe of that slot could come after it, or cut it off. That it has none
    /// after it is asked to be on the safe side.
    pub(super) fn is_newest_of(&self, flow: &FlowKey, place: PendingRef) -> bool {
        let is_newest = |p: &Pending| p.newer.is_none() && p.timeline.probe.flow == *flow;
        self.waiting(place).is_some_and(is_newest)
    }

    /// The probe that waits in a place, if it still does.
    pub(super) fn waiting(&self, place: PendingRef) -> Option<&Pending> {
        self.pending.get(place.index).filter(|p| p.serial == place.serial)
    }

    /// What [`starting`](Self::starting) and [`ended`](Self::ended) will look at, for a caller that
    /// wants it in the processor's cache by then. Nothing else can be done with it.
    #[must_use]
    pub fn will_read(&self, place: PendingRef) -> Option<&(impl Sized + use<>)> {
        self.pending.get(place.index)
    }

    /// Gives a probe that has just ended what was taken for the one before it meanwhile.
    pub(super) fn take_over(&mut self, older: usize, index: usize) {
        let mut events = std::mem::take(&mut self.pending[older].timeline.events);
        let newer = &mut self.pending[index];
        events.retain(|event| {
            let theirs = !is_of_socket(event) && without_socket_is_of(&newer.timeline.probe, event);
            if theirs {
                newer.add(*event);
            }
            !theirs
        });
        self.pending[older].timeline.events = events;
    }

    /// Takes a probe out of the chain of its 4-tuple. Those before it keep waiting, but no event and
    /// no later probe is theirs any more: both would be about this one.
    pub(super) fn unchain(&mut self, index: usize) {
        let pending = &self.pending[index];
        let (older, newer) = (pending.older, pending.newer);
        // One that the kernel closed left nothing, so that those before it stay the ones asked.
        let rest = older.filter(|_| pending.is_closed_by_kernel());
        if rest.is_none() {
            self.cut(older);
        }
        if let Some(rest) = rest {
            self.pending[rest].newer = newer;
        }
        match newer {
            Some(newer) => self.pending[newer].older = rest,
            None => self.newest.replace(index, rest, &self.pending),
        }
    }

    /// Parts the probes of a chain from each other, after each has told what it knows.
    fn cut(&mut self, mut next: Option<usize>) {
        while let Some(index) = next {
            let pending = &self.pending[index];
            if pending.older.is_some() && !pending.linked {
                self.tell_older(index);
            }
            let pending = &mut self.pending[index];
            pending.newer = None;
            next = pending.older.take();
        }
    }
}
