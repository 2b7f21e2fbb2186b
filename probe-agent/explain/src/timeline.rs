//! Everything that is known of one probe, ready to be explained.

use crate::timers::TIMER_MIN;
use model::{
    event::{Event, EventKind},
    outcome::Outcome,
    record::{Closing, ProbeId, ProbeRecord},
};

/// How much of the kernel's side was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Every hook was in place and no event was lost while this probe was open or followed.
    Full,
    /// As `Full`, on a kernel whose `tcp_send_reset` is silent where no socket is left (before about
    /// 6.10): whether the server asked again after the close cannot be seen.
    SocketsOnly,
    /// Hooks in place, but events were lost while this probe was open or followed.
    EventsLost,
    /// No tracing, or the kernel noted nothing of this probe.
    None,
}

/// What an earlier probe had left behind on its 4-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleReply {
    /// A connection in `SYN_RECV` that the RST had not reached.
    Connection,
    /// The answer to a SYN whose probe had timed out: told on the later probe, because nothing had
    /// come while the earlier one was followed.
    LateAnswer,
    /// Nothing: a second copy of its SYN-ACK was still on the way, which says nothing of its RST.
    DuplicateSynAck,
}

/// An earlier probe whose leftover this one met; or may have met, where it was refused and no
/// second opinion came (path C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The earlier probe; `None` where none of this run was still being followed.
    pub id: Option<ProbeId>,
    /// How it was closed; `None` where it is not known.
    pub closing: Option<Closing>,
    /// When it ended, nanoseconds of `CLOCK_MONOTONIC`; 0 where it is not known.
    pub ended_at: u64,
    /// What was met.
    pub stale: StaleReply,
}

/// A later probe that met this one's leftover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Later {
    /// The later probe.
    pub id: ProbeId,
    /// When its SYN met the leftover, nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// Whether it got its own answer in the end, so that the leftover is gone.
    pub recovered: bool,
}

/// The second probe, from another port, that decided whether a refusal was false (path C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The second probe.
    pub id: ProbeId,
    /// Its local port.
    pub local_port: u16,
    /// How it ended.
    pub outcome: Outcome,
}

/// One probe with the events that belong to it, closed to further ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The probe.
    pub probe: ProbeRecord,
    /// Its unusual events in kernel time order. A clean probe has none: its steps are in
    /// `probe.kernel`.
    pub events: Vec<Event>,
    /// What was seen of the kernel's side.
    pub coverage: Coverage,
    /// Until when late events were waited for, nanoseconds of `CLOCK_MONOTONIC`.
    pub followed_until: u64,
    /// A later probe used the 4-tuple and was answered as if nothing were left over: proof that
    /// the server had let go.
    pub reused_cleanly: bool,
    /// This probe met an earlier one's leftover.
    pub earlier: Option<Earlier>,
    /// A later probe met this one's leftover.
    pub later: Option<Later>,
    /// The second opinion on a refusal.
    pub confirmation: Option<Confirmation>,
}

impl Timeline {
    /// What a health checker is told. A refusal that a second probe from another port found false
    /// is no refusal (path C); one that a second probe could not decide about stays one.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.falsely_refused() { Outcome::Alive } else { self.probe.outcome }
    }

    /// ACKs of ours that left: what the kernel counts of the socket's segments beyond its SYNs, less
    /// those that the ACK guard held back. 0 where the kernel's counts are not known.
    #[must_use]
    pub fn acks_leaked(&self) -> u32 {
        let Some(kernel) = self.probe.kernel else { return 0 };
        let again = u32::try_from(self.syn_retransmits()).unwrap_or(u32::MAX);
        let syns = 1 + again.max(u32::from(kernel.retransmits));
        kernel.segments_out.saturating_sub(syns).saturating_sub(u32::from(kernel.acks_held))
    }

    /// When this probe's SYN met an earlier one's leftover, by the RST that the kernel sent in
    /// `SYN_SENT`; without tracing, by the SYN having been sent again long before its timer.
    #[must_use]
    pub fn stale_reply_at(&self) -> Option<u64> {
        if let Some(info) = self.probe.tcp_info {
            let quick = self.probe.answered_at.saturating_sub(self.probe.started_at) < TIMER_MIN;
            let met = info.retransmits > 0 && self.probe.outcome == Outcome::Alive && quick;
            return met.then_some(self.probe.started_at);
        }
        self.events.iter().find(|e| e.answers_stale_reply()).map(|e| e.at)
    }

    /// Whether its refusal was found false by a second probe (path C).
    #[must_use]
    pub fn falsely_refused(&self) -> bool {
        self.probe.outcome == Outcome::Refused
            && self.confirmation.is_some_and(|second| second.outcome == Outcome::Alive)
    }

    /// When RSTs without a socket answered a SYN-ACK that came after the close, in time order. What
    /// each says of the RST of the close: [`Self::synack_kind`].
    pub fn late_rsts(&self) -> impl Iterator<Item = u64> {
        self.events.iter().filter_map(|e| match e.kind {
            EventKind::RstSent { socket: None, .. } => Some(e.at),
            _ => None,
        })
    }

    /// Number of times that the SYN was sent again.
    #[must_use]
    pub fn syn_retransmits(&self) -> usize {
        match self.probe.tcp_info {
            Some(info) => info.retransmits as usize,
            None => self
                .events
                .iter()
                .filter(|e| matches!(e.kind, EventKind::SynRetransmit { .. }))
                .count(),
        }
    }
}
