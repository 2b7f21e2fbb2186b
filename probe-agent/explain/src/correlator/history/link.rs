//! What a probe shows about the one before it on the same 4-tuple.

use super::{History, Pending, PendingRef, Phase, Timers};
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
            // Either answer is to its own SYN: the stale connection is gone.
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

impl History {
    /// Once all events of a probe are here: links it to the one before it.
    pub(super) fn link_if_complete(&mut self, index: usize, timers: &mut Timers) {
        let newer = &self.pending[index];
        if newer.older.is_some() && newer.phase == Phase::Unlinked && newer.is_complete() {
            self.link_to_older(index, timers);
        }
    }

    /// Notes on the probe before this one, and on this one, what is known by now.
    pub(super) fn link_to_older(&mut self, index: usize, timers: &mut Timers) {
        let newer = &mut self.pending[index];
        // A refusal that still awaits its confirmation keeps waiting for that.
        if newer.phase == Phase::Unlinked {
            newer.phase = Phase::Linked;
        }
        let found = Found::of(newer);
        let (id, ended_at) = (newer.timeline.probe.id, newer.timeline.probe.ended_at);
        let hides = newer.may_hide_earlier();
        let Some(older) = self.not_closed_by_kernel(self.pending[index].older) else { return };
        match found {
            Found::Nothing => {
                // The silence afterwards proves nothing.
                self.pending[older].dropped |= hides;
                return;
            }
            Found::NothingStale => self.pending[older].timeline.reused_cleanly = true,
            Found::Stale { at, recovered } => {
                let met = earlier(&self.pending[older].timeline, at);
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
        // Its fate is known. Only events from before the later probe can still arrive.
        let serial = self.pending[older].serial;
        timers.push(ended_at, PendingRef { index: older, serial });
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

    /// The probe that a refusal owes its doubt to, where no confirmation probe has ended.
    pub(super) fn suspect(&self, index: usize) -> Option<Earlier> {
        let pending = &self.pending[index];
        let older = pending.older.filter(|_| pending.phase == Phase::AwaitsConfirmation);
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
            // It met a stale connection itself, and that one is still there.
            Some(first) if first.stale != StaleReply::DuplicateSynAck => first,
            // Its own verdict already says that its answer was late.
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
