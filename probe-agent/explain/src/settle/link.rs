//! What a probe tells of the one before it on the same 4-tuple.

use super::{Pending, Settling};
use crate::timeline::{Earlier, Later, StaleReply, Timeline};
use model::{outcome::Outcome, record::Closing};

/// What a probe found of the one before it on its 4-tuple.
enum Found {
    /// It cannot be told: its SYN got no answer, or a refusal, or not all events are known.
    Nothing,
    /// Its SYN was answered as if nothing were left.
    NothingStale,
    /// Its SYN met something.
    Stale { at: u64, recovered: bool },
}

impl Found {
    fn of(pending: &Pending) -> Self {
        let timeline = &pending.timeline;
        let probe = &timeline.probe;
        if let Some(at) = timeline.stale_reply_at() {
            // Either answer is to its own SYN: the leftover is gone.
            let recovered = match probe.outcome {
                Outcome::Alive | Outcome::Refused => true,
                Outcome::TimedOut | Outcome::Unreachable | Outcome::LocalError => false,
            };
            return Self::Stale { at, recovered };
        }
        if timeline.falsely_refused() {
            return Self::Stale { at: probe.syn_at(), recovered: true };
        }
        // Without the kernel's word, a SYN that was sent again may have met something.
        let known = match probe.tcp_info {
            Some(info) => info.retransmits == 0,
            None => probe.kernel.is_some() && pending.is_complete(),
        };
        if known && probe.outcome == Outcome::Alive { Self::NothingStale } else { Self::Nothing }
    }
}

impl Settling {
    /// Once all events of a probe are here: tells the one before it on the 4-tuple what it found.
    pub(super) fn link(&mut self, index: usize) {
        let newer = &self.pending[index];
        if newer.older.is_some() && !newer.linked && !newer.doubted && newer.is_complete() {
            self.tell_older(index);
        }
    }

    /// Tells the probe before this one what is known by now.
    pub(super) fn tell_older(&mut self, index: usize) {
        let newer = &self.pending[index];
        let found = Found::of(newer);
        let (id, ended_at, older) =
            (newer.timeline.probe.id, newer.timeline.probe.ended_at, newer.older);
        self.pending[index].linked = true;
        self.release(older);
        let Some(older) = self.not_closed_by_kernel(older) else { return };
        match found {
            Found::Nothing => return,
            Found::NothingStale => self.pending[older].timeline.reused_cleanly = true,
            Found::Stale { at, recovered } => {
                let before = &mut self.pending[older].timeline;
                let met = earlier(before, at);
                self.pending[index].timeline.earlier = Some(met);
                if met.stale == StaleReply::DuplicateSynAck {
                    return;
                }
                let before = &mut self.pending[older].timeline;
                if before.probe.closing == Closing::Reset {
                    before.later = Some(Later { id, at, recovered });
                }
            }
        }
        // Its fate is known; only events from before the later probe can still be on their way.
        self.by_other.push((ended_at, self.pending[older].place(older)));
    }

    /// A probe will tell those before it, which [`starting`](Self::starting) held, nothing more.
    fn release(&mut self, mut older: Option<usize>) {
        while let Some(index) = older {
            let pending = &mut self.pending[index];
            pending.held = false;
            older = pending.older.filter(|_| pending.is_closed_by_kernel());
        }
    }

    /// The nearest probe from here on that can have left anything: one that was refused has not.
    fn not_closed_by_kernel(&self, from: Option<usize>) -> Option<usize> {
        let mut next = from;
        while let Some(index) = next {
            let pending = &self.pending[index];
            if !pending.is_closed_by_kernel() {
                break;
            }
            next = pending.older;
        }
        next
    }

    /// The probe that a refusal owes its doubt to, where the second opinion has not come.
    pub(super) fn suspect(&self, index: usize) -> Option<Earlier> {
        let pending = &self.pending[index];
        let older = pending.older.filter(|_| pending.doubted);
        let before = &self.pending[self.not_closed_by_kernel(older)?].timeline;
        Some(of(before, StaleReply::Connection))
    }
}

/// The earlier probe as the later one sees it, which met something of it at `at`.
fn earlier(before: &Timeline, at: u64) -> Earlier {
    match before.probe.closing {
        Closing::Reset if before.duplicate_synack_possible(at) => {
            of(before, StaleReply::DuplicateSynAck)
        }
        Closing::Reset | Closing::ByKernel => of(before, StaleReply::Connection),
        Closing::Silent => match before.earlier {
            // It had met a leftover itself and not got rid of it: this is that one again.
            Some(first) if first.stale != StaleReply::DuplicateSynAck => first,
            // That its answer was late is told on itself already.
            Some(_) | None if before.late_rsts().next().is_some() => {
                of(before, StaleReply::Connection)
            }
            Some(_) | None => of(before, StaleReply::LateAnswer),
        },
    }
}

fn of(before: &Timeline, stale: StaleReply) -> Earlier {
    let probe = &before.probe;
    Earlier { id: Some(probe.id), closing: Some(probe.closing), ended_at: probe.ended_at, stale }
}
