//! The probes of one 4-tuple that wait, the newest first.

use probe_agent_common::FlowKey;

use super::{Pending, Settling, pending::is_of_socket};
use crate::correlate::orphans::without_socket_is_of;

impl Settling {
    /// The newest probe of a 4-tuple that is as wanted.
    pub(super) fn find(
        &self,
        flow: &FlowKey,
        is_wanted: impl Fn(&Pending) -> bool,
    ) -> Option<usize> {
        let mut next = self.newest.get(flow).copied();
        while let Some(index) = next {
            let pending = &self.pending[index];
            if is_wanted(pending) {
                break;
            }
            next = pending.older;
        }
        next
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
        let (flow, older) = (pending.timeline.probe.flow, pending.older);
        // One that the kernel closed left nothing, so that those before it stay the ones asked.
        let rest = older.filter(|_| pending.is_closed_by_kernel());
        if rest.is_none() {
            self.cut(older);
        }
        let Some(&newest) = self.newest.get(&flow) else { return };
        if newest == index {
            match rest {
                Some(rest) => self.newest.insert(flow, rest),
                None => self.newest.remove(&flow),
            };
            return;
        }
        let mut next = Some(newest);
        while let Some(at) = next {
            let pending = &mut self.pending[at];
            if pending.older == Some(index) {
                pending.older = rest;
                return;
            }
            next = pending.older;
        }
    }

    /// Parts the probes of a chain from each other, after each has told what it knows.
    fn cut(&mut self, mut next: Option<usize>) {
        while let Some(index) = next {
            let pending = &self.pending[index];
            if pending.older.is_some() && !pending.linked {
                self.tell_older(index);
            }
            next = self.pending[index].older.take();
        }
    }
}
