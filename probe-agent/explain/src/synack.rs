//! What a SYN-ACK that comes after the RST says of that RST.
//!
//! The kernel answers each with a RST without a socket, which is what is seen here. Not each means
//! that the first RST was lost. A server sends its SYN-ACK more than once while the probe is still
//! open: by its timer, and in answer to each SYN that is sent again (`tcp_check_req`). Whichever
//! copy comes first opens the connection, which is reset at once; the other copies were on their way
//! already. A copy that left before the RST could arrive says nothing of the RST; one that left
//! after it does.
//!
//! When a copy left is not seen, but bounded: what comes later than one way there and back after
//! the RST left after the RST should have arrived. How long that way is, the handshake says. Where
//! the SYN was sent again there are two readings: the answer belongs to the last SYN (the way is
//! short, and the first SYN or its answer was lost), or to the first (the way is as long as the
//! whole handshake). The short one is taken to be true, the long one keeps the proof from being sure.

use crate::{
    timeline::{Earlier, StaleReply, Timeline},
    timers::{CONCLUSIVE_WINDOW, SYNACK_SLACK, SYNACK_TIMER, TIMER_MIN},
};
use model::event::{Event, EventKind};

/// How far apart, in nanoseconds, the network may bring two copies of one segment; no server's
/// SYN-ACK timer is as short.
const JITTER: u64 = 10_000_000;

/// How far apart, in nanoseconds, a server may send the two copies that a lost SYN-ACK leads to: its
/// own timer and that of the SYN run out at the same time but for the grain of their timer wheels.
const COPY_SPREAD: u64 = 150_000_000;

/// What a SYN-ACK that came after the RST says of that RST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynAckKind {
    /// Nothing: it left the server before the RST could arrive.
    Duplicate,
    /// The RST was lost, unless the way is longer than it looks or the server's timer is unusual.
    LikelyRetransmit,
    /// The RST was lost.
    Retransmit,
}

impl Timeline {
    /// What a SYN-ACK that was answered at `at`, after the RST of the close, says of that RST.
    #[must_use]
    pub fn synack_kind(&self, at: u64) -> SynAckKind {
        let Some(rst) = self.probe.rst_at() else { return SynAckKind::Duplicate };
        let handshake = self.probe.handshake_ns().unwrap_or(0);
        let answered = self.answered();
        let timer_expired = at >= answered + TIMER_MIN;
        let crossed_rst = at < rst + self.round_trip() + JITTER;
        if crossed_rst || (self.is_slow() && !timer_expired) || self.duplicate_synack_possible(at) {
            SynAckKind::Duplicate
        } else if timer_expired && at >= rst + handshake + SYNACK_SLACK {
            SynAckKind::Retransmit
        } else {
            SynAckKind::LikelyRetransmit
        }
    }

    /// Whether a second copy of the SYN-ACK, sent in answer to a second SYN, may come at `at` and
    /// meet a later SYN on the 4-tuple, or no socket.
    pub(super) fn duplicate_synack_possible(&self, at: u64) -> bool {
        if self.is_slow() {
            at < self.answered() + self.round_trip() + COPY_SPREAD
        } else if self.first_syn_was_answered() {
            let handshake = self.probe.handshake_ns().unwrap_or(0);
            at < self.last_syn() + handshake + JITTER
        } else {
            false
        }
    }

    /// When RSTs without a socket answered SYN-ACKs that the server sent because it had not got the
    /// RST of the close (path A), in time order.
    pub fn recoveries(&self) -> impl Iterator<Item = u64> {
        self.late_rsts().filter(|at| self.synack_kind(*at) != SynAckKind::Duplicate)
    }

    /// From when on silence says that the server keeps nothing of this probe any more.
    #[must_use]
    pub fn silence_conclusive_at(&self) -> u64 {
        let (mut gap, mut last) = (0, self.answered());
        for at in self.recoveries() {
            (gap, last) = (at.saturating_sub(last), at);
        }
        if gap > 0 {
            // The timer has run out at least once, and each time it runs twice as long.
            return last + 2 * gap.max(SYNACK_TIMER) + SYNACK_SLACK;
        }
        let rst = self.probe.rst_at().unwrap_or(self.probe.ended_at);
        if self.is_slow() {
            // The server's timer may have run out n times before the answer: that took 2^n - 1 s at
            // least, and the next time comes 2^n s later.
            rst + self.probe.handshake_ns().unwrap_or(0) + SYNACK_TIMER + SYNACK_SLACK
        } else {
            rst + CONCLUSIVE_WINDOW
        }
    }

    /// Until when a probe is worth following beyond its settle window, because only the absence of
    /// a further SYN-ACK tells how it ended; `None` where that does not matter or is known already.
    pub(super) fn follow_until(&self) -> Option<u64> {
        if self.later.is_some() || self.reused_cleanly {
            return None;
        }
        match self.recoveries().take(2).count() {
            0 => self.is_slow().then(|| self.silence_conclusive_at()),
            1 => Some(self.silence_conclusive_at()),
            // The second RST was lost as well: that is told as it is.
            _ => None,
        }
    }

    /// Whether the answer took so long that the SYN, or the SYN-ACK, was sent more than once.
    fn is_slow(&self) -> bool {
        self.probe.handshake_ns().is_some_and(|ns| ns >= TIMER_MIN)
    }

    /// Whether a SYN that was sent again at once, because the first met something, was not needed:
    /// the server answered the first. A challenge ACK is an answer to the first as well, and comes
    /// as soon as the SYN-ACK that answers the second; whatever else was met came at any time.
    fn first_syn_was_answered(&self) -> bool {
        // A server that still held an earlier connection had no ear for the first SYN.
        let held = |e: &Earlier| e.id.is_some() && e.stale == StaleReply::Connection;
        if self.events.is_empty() || self.earlier.as_ref().is_some_and(held) {
            return false;
        }
        let met = self.stale_reply_at().map(|at| at.saturating_sub(self.probe.syn_at()));
        met.is_some_and(|met| met.abs_diff(self.round_trip()) > JITTER)
    }

    /// When the SYN-ACK was accepted.
    fn answered(&self) -> u64 {
        self.probe.syn_at() + self.probe.handshake_ns().unwrap_or(0)
    }

    /// From the last SYN to the answer.
    fn round_trip(&self) -> u64 {
        self.answered().saturating_sub(self.last_syn())
    }

    /// When the last SYN left. The hook runs after the transmission, so that on one host the answer
    /// may be noted first.
    fn last_syn(&self) -> u64 {
        let again = |e: &&Event| matches!(e.kind, EventKind::SynRetransmit { .. });
        self.events.iter().rev().find(again).map_or(self.probe.syn_at(), |e| e.at)
    }
}
