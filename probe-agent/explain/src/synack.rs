//! What a SYN-ACK that arrives after the RST of the close shows about that RST.
//!
//! The kernel answers each such SYN-ACK with a RST that no socket sends; that RST is what a hook sees.
//! Not every one means that the first RST was lost. A server sends more than one SYN-ACK while the probe
//! is still open: by its timer, and in answer to each SYN retransmit (`tcp_check_req`). The first copy
//! to arrive opens the connection, which the probe resets at once. The other copies may already be in
//! flight. A copy that left before the RST could arrive shows nothing about the RST; a copy that left
//! later shows that the RST was lost.
//!
//! The hooks do not see when a copy left, but its arrival bounds it: whatever arrives more than one round
//! trip after the RST left the server after the RST should have arrived. The handshake gives the
//! round-trip time. If the SYN was retransmitted, the handshake has two readings. Either the answer
//! belongs to the last SYN (the round trip is short, and the first SYN or its answer was lost), or it
//! belongs to the first SYN (the round trip is as long as the handshake). With TCP timestamps the kernel
//! knows which, and has measured the round trip. Otherwise the long reading decides, so that nothing is
//! taken for a loss that need not be one.

use crate::{
    late_synack::{LateSynAck, ON_THE_WAY},
    timeline::{Earlier, StaleReply, Timeline},
    timers::{CONCLUSIVE_WINDOW, SYNACK_SLACK, SYNACK_TIMER, TIMER_MIN},
};

use model::{
    event::{Event, EventKind},
    segment::Segment,
};

/// How far apart, in nanoseconds, the network may deliver two copies of one segment. No server's SYN-ACK
/// timer is this short.
const JITTER: u64 = 10_000_000;

/// How far apart, in nanoseconds, a server may send the two copies that follow a lost SYN-ACK. Its own
/// timer and the client's SYN timer expire at the same time, up to the granularity of their timer wheels.
const COPY_SPREAD: u64 = 150_000_000;

/// What a SYN-ACK that arrived after the RST of the close was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SynAckKind {
    /// A copy that left the server before the RST could arrive. It shows nothing about the RST.
    Duplicate,
    /// A retransmit, so the RST was lost; unless the round trip is longer than it looks, or the
    /// server's timer is unusual.
    LikelyRetransmit,
    /// A retransmit: the RST was lost.
    Retransmit,
}

impl Timeline {
    /// The kind of a SYN-ACK that the kernel answered at `at`, after the RST of the close.
    pub(crate) fn synack_kind(&self, at: u64) -> SynAckKind {
        let Some(rst) = self.probe.rst_at() else { return SynAckKind::Duplicate };
        if self.late_synacks().any(|late| late.at == at && !late.is_repeated) {
            return SynAckKind::Duplicate;
        }
        let longest = self.longest_round_trip();
        // The RST takes about half a round trip to the server. What that is seen sending later, on this host, it
        // sends because it has not received the RST.
        let sent_after = rst + longest / 2 + JITTER;
        if self.sent_at(at).is_some_and(|sent| sent >= sent_after && sent >= rst + TIMER_MIN / 2) {
            return SynAckKind::Retransmit;
        }
        let timer_expired = at >= self.answered() + TIMER_MIN;
        // On the longest path that is possible, it may have crossed the RST.
        let crossed_rst = at < rst + longest + JITTER;
        if crossed_rst || (self.is_slow() && !timer_expired) || self.duplicate_synack_possible(at) {
            SynAckKind::Duplicate
        } else if timer_expired && at >= rst + longest + SYNACK_SLACK {
            SynAckKind::Retransmit
        } else {
            SynAckKind::LikelyRetransmit
        }
    }

    /// When a server on this host was seen sending the SYN-ACK that showed at `at`.
    fn sent_at(&self, at: u64) -> Option<u64> {
        let mut sent = self.events.iter().rev().filter(|e| e.at <= at && at - e.at < ON_THE_WAY);
        sent.find(|e| match e.kind {
            EventKind::SynAckRetransmit { segment } => self.acknowledges_syn(segment),
            _ => false,
        })
        .map(|e| e.at)
    }

    /// Whether a second copy of the SYN-ACK, sent in answer to a second SYN, may arrive at `at` and reach
    /// a later probe on the 4-tuple, or no socket.
    pub(crate) fn duplicate_synack_possible(&self, at: u64) -> bool {
        if self.is_slow() {
            at < self.answered() + self.round_trip() + COPY_SPREAD
                || self.is_answer_to_later_syn(at)
        } else if self.first_syn_was_answered() {
            let handshake = self.probe.handshake_ns().unwrap_or(0);
            at < self.last_syn() + handshake + JITTER
        } else {
            false
        }
    }

    /// The round trip, where it looks longer than the SYN's timer: the kernel has measured it so, or each SYN was
    /// answered after that time. Then nothing need be lost. An answer soon after the last SYN is that SYN's: it
    /// would be a coincidence otherwise, although a Linux server that has lost a SYN-ACK makes it look longer (it
    /// returns the timestamp of the first SYN).
    pub(crate) fn long_round_trip(&self) -> Option<u64> {
        let longest = self.longest_round_trip();
        let answered_again = self.last_syn() + longest;
        let each_answered =
            || self.late_synacks().any(|late| late.at.abs_diff(answered_again) < COPY_SPREAD);
        let is_measured = self.probe.round_trip_ns().is_some();
        let looks_long = longest >= TIMER_MIN
            && self.syn_retransmit_events() > 0
            && self.early_retransmit().is_none()
            && self.stale_reply_at().is_none()
            && self.answered() >= self.last_syn() + SYNACK_SLACK
            && !self.server_answered();
        (looks_long && (is_measured || each_answered())).then_some(longest)
    }

    /// When the SYN was sent again before its answer could come, and the round trip: this host's timer is short.
    pub(crate) fn short_timer(&self) -> Option<(u64, u64)> {
        let after = self.early_retransmit()?;
        let round_trip = self.probe.round_trip_ns()?;
        (after + JITTER < round_trip).then_some((after, round_trip))
    }

    /// Whether a SYN-ACK at `at` came as long after a SYN retransmit as the first one may have come after
    /// its SYN: on a path that slow, it answers that SYN.
    fn is_answer_to_later_syn(&self, at: u64) -> bool {
        let round_trip = self.longest_round_trip();
        let mut later = self.events.iter().filter(|e| e.kind.is_syn_retransmit()).map(|e| e.at);
        later.any(|syn| at.abs_diff(syn + round_trip) < JITTER)
    }

    /// When a SYN-ACK was seen that the server retransmitted because it had not received the RST of the
    /// close, in time order. The kernel answers each with a RST (path A).
    pub(crate) fn recoveries(&self) -> impl Iterator<Item = u64> {
        self.retransmitted_synacks().map(|late| late.at)
    }

    /// The SYN-ACKs of [`Self::recoveries`].
    pub(crate) fn retransmitted_synacks(&self) -> impl Iterator<Item = LateSynAck> {
        self.late_synacks().filter(|late| self.synack_kind(late.at) != SynAckKind::Duplicate)
    }

    /// Whether an event shows a SYN-ACK that the server sent again because it had not received the RST.
    pub(crate) fn is_retransmitted_synack(&self, event: &Event) -> bool {
        self.shows_late_synack(event) && self.synack_kind(event.at) != SynAckKind::Duplicate
    }

    /// Whether an event shows a copy of the SYN-ACK, or its answer, that shows nothing about the RST.
    pub(crate) fn is_copy(&self, event: &Event) -> bool {
        self.probe.rst_at().is_some()
            && self.shows_late_synack(event)
            && self.synack_kind(event.at) == SynAckKind::Duplicate
    }

    /// From when on silence shows that the server has dropped the half-open connection.
    pub(crate) fn silence_conclusive_at(&self) -> u64 {
        let (mut gap, mut last) = (0, self.answered());
        for at in self.recoveries() {
            (gap, last) = (at.saturating_sub(last), at);
        }
        if gap > 0 {
            // The timer has expired at least once, and each interval is twice the one before.
            return last + 2 * gap.max(SYNACK_TIMER) + SYNACK_SLACK;
        }
        let rst = self.probe.rst_at().unwrap_or(self.probe.ended_at);
        if self.is_slow() {
            // Before the answer, the server's timer may have expired n times, which took at least
            // 2^n - 1 s; it expires next 2^n s later.
            rst + self.probe.handshake_ns().unwrap_or(0) + SYNACK_TIMER + SYNACK_SLACK
        } else {
            rst + CONCLUSIVE_WINDOW
        }
    }

    /// Until when to follow a probe beyond its settle window, because only the absence of another SYN-ACK
    /// shows how it ended; `None` if that does not matter or is already known.
    pub(crate) fn follow_until(&self) -> Option<u64> {
        if self.later.is_some() || self.reused_cleanly {
            return None;
        }
        match self.recoveries().take(2).count() {
            0 => self.is_slow().then(|| self.silence_conclusive_at()),
            1 => Some(self.silence_conclusive_at()),
            // The second RST was lost too, and the verdict says so.
            _ => None,
        }
    }

    /// Whether the handshake took so long that the SYN or the SYN-ACK must have been retransmitted.
    fn is_slow(&self) -> bool {
        self.probe.handshake_ns().is_some_and(|ns| ns >= TIMER_MIN)
    }

    /// Whether the server answered the first SYN although the client retransmitted it at once, after a
    /// stale reply. A challenge ACK is an answer to the first SYN too, and arrives after one round trip,
    /// like the SYN-ACK that answers the second SYN. Any other stale reply arrives at any time: an old
    /// SYN-ACK is never the answer of a server that still holds the connection.
    fn first_syn_was_answered(&self) -> bool {
        // A server that still held an earlier connection did not accept the first SYN.
        let held = |e: &Earlier| e.id.is_some() && e.stale == StaleReply::Connection;
        if self.events.is_empty() {
            return false;
        }
        // That server would have answered with a challenge ACK. An old SYN-ACK left before the first SYN came.
        let replies = self.stale_replies();
        let is_old = |segment: Segment| segment.flags.is_synack();
        if !replies.is_empty() && replies.iter().all(|(_, segment)| segment.is_some_and(is_old)) {
            return true;
        }
        if self.earlier.as_ref().is_some_and(held) {
            return false;
        }
        // No answer comes sooner than a round trip after its SYN.
        let since_last_syn = self.answered().saturating_sub(self.last_syn());
        let too_soon = self.probe.round_trip_ns().is_some_and(|rtt| since_last_syn < rtt / 2);
        if too_soon && self.syn_retransmits() > 0 {
            return true;
        }
        let reply = self.stale_reply_at().map(|at| at.saturating_sub(self.probe.syn_at()));
        reply.is_some_and(|after| after.abs_diff(self.round_trip()) > JITTER)
    }

    /// When the SYN-ACK was accepted.
    fn answered(&self) -> u64 {
        self.probe.syn_at() + self.probe.handshake_ns().unwrap_or(0)
    }

    /// The round trip as measured, or from the last SYN to the answer.
    fn round_trip(&self) -> u64 {
        if let Some(measured) = self.probe.round_trip_ns() {
            return measured;
        }
        self.answered().saturating_sub(self.last_syn())
    }

    /// The longest that the round trip can be: as measured, or from the first SYN to the answer.
    fn longest_round_trip(&self) -> u64 {
        let handshake = self.probe.handshake_ns().unwrap_or(0);
        self.probe.round_trip_ns().unwrap_or(handshake)
    }

    /// When the last SYN left. The hook runs after the transmission; on a single host it may therefore
    /// run after the answer was recorded.
    fn last_syn(&self) -> u64 {
        let last = self.events.iter().rev().find(|e| e.kind.is_syn_retransmit());
        last.map_or(self.probe.syn_at(), |e| e.at)
    }
}
