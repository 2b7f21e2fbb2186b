//! What a probe shows about the one before it on the same 4-tuple.

use super::super::unclaimed::Reply;
use super::{History, Pending, PendingRef, Phase, Timers};
use crate::timeline::{Earlier, Later, StaleReply, Timeline};
use model::{outcome::Outcome, record::Closing, segment::Segment};

/// What a probe found of the one before it on its 4-tuple.
enum Found {
    /// It cannot be told: its SYN got no answer, or a refusal, or not all events are known.
    Nothing,
    /// Its SYN was answered as if nothing were left.
    NothingStale,
    /// Its SYN met something.
    Stale { recovered: bool },
}

impl Found {
    fn of(pending: &Pending) -> Self {
        let timeline = &pending.timeline;
        let probe = &timeline.probe;
        if timeline.stale_reply_at().is_some() {
            // Either answer is to its own SYN: the stale connection is gone.
            let recovered = match probe.outcome {
                Outcome::Alive | Outcome::Refused => true,
                Outcome::TimedOut | Outcome::Unreachable | Outcome::LocalError => false,
            };
            return Self::Stale { recovered };
        }
        if timeline.falsely_refused() {
            return Self::Stale { recovered: true };
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
        let has_something = newer.older.is_some() || !newer.timeline.events.is_empty();
        if has_something && newer.phase == Phase::Unlinked && newer.is_complete() {
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
        let ended_at = newer.timeline.probe.ended_at;
        let hides = newer.may_hide_earlier();
        let is_in_doubt = newer.timeline.is_doubtful_refusal();
        let older = self.not_closed_by_kernel(self.pending[index].older);
        if let Found::Stale { recovered } = found {
            self.link_replies(index, older, recovered, timers);
            return;
        }
        let Some(older) = older else { return };
        match found {
            Found::Nothing | Found::Stale { .. } => {
                // The silence afterwards proves nothing.
                self.pending[older].dropped |= hides;
                self.pending[older].timeline.reuse_in_doubt |= is_in_doubt;
                return;
            }
            // What a refused probe between the two cleared, this one does not show.
            Found::NothingStale if self.pending[older].timeline.reuse_in_doubt => {}
            Found::NothingStale => self.pending[older].timeline.reused_cleanly = true,
        }
        self.settle_at(older, ended_at, timers);
    }

    /// Notes each stale reply on the probe that it belongs to, which is `older` or one before that, or keeps it
    /// until that is known.
    fn link_replies(
        &mut self,
        index: usize,
        older: Option<usize>,
        recovered: bool,
        timers: &mut Timers,
    ) {
        let newer = &self.pending[index];
        let (flow, probe) = (newer.timeline.probe.flow, PendingRef { index, serial: newer.serial });
        for (at, segment) in newer.timeline.stale_replies() {
            let reply = Reply { at, flow, segment, recovered, probe };
            match older.and_then(|older| self.owner_of(older, segment)) {
                Some(owner) => self.link_reply(owner, reply, timers),
                None => self.unclaimed.keep(reply),
            }
        }
    }

    /// Notes a stale reply on the probe that it belongs to, and that probe on the one that received it.
    pub(super) fn link_reply(&mut self, owner: usize, reply: Reply, timers: &mut Timers) {
        let Some(newer) = self.get(reply.probe).map(|pending| &pending.timeline) else { return };
        let (id, ended_at, port) =
            (newer.probe.id, newer.probe.ended_at, newer.probe.flow.local_port);
        // After a false refusal, the confirmation probe shows whose it was.
        let was_refused = newer.falsely_refused();
        let before = &mut self.pending[owner].timeline;
        let own_port = before.probe.flow.local_port;
        let differ = own_port != port;
        let mut met = earlier(before, reply.at, reply.segment);
        met.other_port = differ.then_some(own_port);
        let is_matched = met.is_matched || was_refused;
        if met.stale != StaleReply::DuplicateSynAck && before.probe.closing == Closing::Reset {
            let (at, recovered) = (reply.at, reply.recovered);
            let other_port = differ.then_some(port);
            before.later = Some(Later { id, at, recovered, is_matched, other_port });
        } else if met.stale == StaleReply::DuplicateSynAck {
            before.copy_met = Some((id, reply.at));
        }
        self.settle_at(owner, ended_at, timers);
        let known = &mut self.pending[reply.probe.index].timeline.earlier;
        if known.is_none_or(|known| known.stale == StaleReply::DuplicateSynAck) {
            *known = Some(met);
        }
    }

    /// The outcome of a probe is known: only events from before the end of the later one can still arrive.
    fn settle_at(&self, index: usize, ended_at: u64, timers: &mut Timers) {
        let serial = self.pending[index].serial;
        timers.push_linked(ended_at, PendingRef { index, serial });
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

    /// The nearest probe from here on that the connection behind a stale reply can be of: its sequence
    /// numbers tell, where they are known.
    fn owner_of(&self, from: usize, segment: Option<Segment>) -> Option<usize> {
        let of_its_own = |before: &Timeline| {
            let ends = before.probe.syn_end().zip(segment);
            ends.is_none_or(|(end, segment)| segment.ack == end)
        };
        // Its owner may be settled; then one that met the same connection and did not end it knows it.
        self.nearest(from, of_its_own)
            .or_else(|| self.nearest(from, |before| has_met(before, segment)))
    }

    /// The nearest probe from here on that `is_wanted`, of those that can have left anything.
    fn nearest(&self, from: usize, is_wanted: impl Fn(&Timeline) -> bool) -> Option<usize> {
        let mut next = Some(from);
        while let Some(index) = next {
            let pending = &self.pending[index];
            if is_wanted(&pending.timeline) {
                return Some(index);
            }
            next = self.not_closed_by_kernel(pending.older);
        }
        None
    }

    /// The probe that a refusal owes its doubt to, where no confirmation probe has ended.
    pub(super) fn suspect(&self, index: usize) -> Option<Earlier> {
        let pending = &self.pending[index];
        // A confirmation probe that could not be run decides nothing.
        let is_undecided = pending
            .timeline
            .confirmation
            .is_some_and(|probe| !matches!(probe.outcome, Outcome::Alive | Outcome::Refused));
        let older =
            pending.older.filter(|_| pending.phase == Phase::AwaitsConfirmation || is_undecided);
        let before = &self.pending[self.not_closed_by_kernel(older)?].timeline;
        Some(of(before, StaleReply::Connection, None))
    }
}

/// The earlier probe as the later one sees it, which met something of it at `at`.
fn earlier(before: &Timeline, at: u64, segment: Option<Segment>) -> Earlier {
    let of = |before, stale| of(before, stale, segment);
    // A challenge ACK is no copy of a SYN-ACK.
    let is_synack = segment.is_none_or(|segment| segment.flags.is_synack());
    match before.probe.closing {
        Closing::Reset if is_synack && is_other_synack(before, segment) => {
            of(before, StaleReply::DuplicateSynAck)
        }
        Closing::Reset if is_synack && before.duplicate_synack_possible(at) => {
            of(before, StaleReply::DuplicateSynAck)
        }
        Closing::Reset | Closing::ByKernel => of(before, StaleReply::Connection),
        Closing::Silent => match before.earlier {
            // It met a stale connection itself, and that one is still there, unless the numbers say otherwise.
            Some(first)
                if first.stale != StaleReply::DuplicateSynAck && !is_own(before, segment) =>
            {
                first
            }
            // Its own verdict already says that its answer was late.
            Some(_) | None if before.late_rsts().next().is_some() => {
                of(before, StaleReply::Connection)
            }
            Some(_) | None => of(before, StaleReply::LateAnswer),
        },
    }
}

fn of(before: &Timeline, stale: StaleReply, segment: Option<Segment>) -> Earlier {
    let probe = &before.probe;
    Earlier {
        id: Some(probe.id),
        closing: Some(probe.closing),
        ended_at: probe.ended_at,
        syn_end: probe.syn_end(),
        stale,
        is_matched: is_own(before, segment) && !is_other_server(before, segment),
        other_port: None,
    }
}

/// Whether a probe that timed out met the connection that a segment belongs to.
fn has_met(before: &Timeline, segment: Option<Segment>) -> bool {
    let ends = before.earlier.and_then(|first| first.syn_end).zip(segment);
    before.probe.closing == Closing::Silent && ends.is_some_and(|(end, segment)| segment.ack == end)
}

/// Whether a segment is a SYN-ACK with another sequence number than the one that was accepted.
fn is_other_synack(before: &Timeline, segment: Option<Segment>) -> bool {
    segment.is_some_and(|segment| segment.flags.is_synack()) && is_other_server(before, segment)
}

/// Whether a segment's sequence number is not that of the server that the probe sent its RST to.
fn is_other_server(before: &Timeline, segment: Option<Segment>) -> bool {
    let known = segment.zip(before.probe.synack_seq());
    known.is_some_and(|(segment, seq)| {
        // Without data, nothing follows the SYN.
        let next = if segment.flags.is_synack() { seq } else { seq.wrapping_add(1) };
        segment.seq != next
    })
}

/// Whether the sequence numbers of a segment are those of the probe's connection.
fn is_own(before: &Timeline, segment: Option<Segment>) -> bool {
    segment.is_some_and(|segment| Some(segment.ack) == before.probe.syn_end())
}
