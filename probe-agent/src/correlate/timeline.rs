//! Everything that is known of one probe, ready to be explained.

use crate::{
    probe::{
        outcome::Outcome,
        record::{Closing, ProbeId, ProbeRecord},
    },
    trace::event::{Event, Happening},
};

/// The SYN's retransmit timer starts at 1 s (RFC 6298, section 2.1; `TCP_TIMEOUT_INIT`); a SYN that
/// is sent again earlier than this, in nanoseconds, was so because of an answer.
const SYN_TIMER_MIN: u64 = 900_000_000;

/// A SYN-ACK that comes within a round trip and this, in nanoseconds, of the close left the server
/// before our RST got there: no timer of a server's runs for so short a time.
const UNDER_WAY: u64 = 100_000_000;

/// How much of the kernel's side was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Every hook was in place and no event was lost while this probe was open.
    Full,
    /// Hooks in place, but events were lost while this probe was open.
    EventsLost,
    /// No tracing.
    None,
}

/// An earlier probe whose leftover this one met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The earlier probe; `None` where nobody of this run used the 4-tuple before.
    pub id: Option<ProbeId>,
    /// How it was closed; `None` where it is not known.
    pub closing: Option<Closing>,
    /// When it ended, nanoseconds of `CLOCK_MONOTONIC`; 0 where it is not known.
    pub ended_at: u64,
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
    /// is no refusal (path C).
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.confirmation {
            Some(second) if self.probe.outcome == Outcome::Refused => second.outcome,
            _ => self.probe.outcome,
        }
    }

    /// When this probe's SYN met an earlier one's leftover, by the RST that the kernel sent in
    /// `SYN_SENT`; without tracing, by the SYN having been sent again long before its timer.
    #[must_use]
    pub fn met_leftover_at(&self) -> Option<u64> {
        if let Some(info) = self.probe.tcp_info {
            let quick =
                self.probe.answered_at.saturating_sub(self.probe.started_at) < SYN_TIMER_MIN;
            let met = info.retransmits > 0 && self.probe.outcome == Outcome::Alive && quick;
            return met.then_some(self.probe.started_at);
        }
        self.events.iter().find(|e| e.is_challenged()).map(|e| e.at)
    }

    /// Whether its refusal was found false by a second probe (path C).
    #[must_use]
    pub fn falsely_refused(&self) -> bool {
        self.probe.outcome == Outcome::Refused && self.outcome() == Outcome::Alive
    }

    /// When RSTs without a socket answered a late SYN-ACK of this probe (path A), in time order.
    pub fn late_rsts(&self) -> impl Iterator<Item = u64> {
        self.events.iter().filter(|e| self.is_late_rst(e)).map(|e| e.at)
    }

    /// Whether an event is a RST that answered a late SYN-ACK. A copy of the SYN-ACK that was under
    /// way when the probe closed (the server answers a SYN that is sent again, and its own timer
    /// runs out at about the same time) says nothing about our RST.
    #[must_use]
    pub fn is_late_rst(&self, event: &Event) -> bool {
        matches!(event.what, Happening::RstSent { socket: None, .. })
            && match self.probe.closing {
                Closing::Reset => {
                    event.at > self.probe.closed_at() + self.round_trip_ns() + UNDER_WAY
                }
                Closing::Silent | Closing::ByKernel => true,
            }
    }

    /// From the last time that the SYN was sent to the answer.
    fn round_trip_ns(&self) -> u64 {
        let answered_at = self.probe.syn_at() + self.probe.handshake_ns().unwrap_or(0);
        let sent_again = self
            .events
            .iter()
            .filter(|e| matches!(e.what, Happening::SynRetransmit { .. }) && e.at <= answered_at);
        let sent_at = sent_again.map(|e| e.at).max().unwrap_or(self.probe.syn_at());
        answered_at.saturating_sub(sent_at)
    }

    /// Number of times that the SYN was sent again.
    #[must_use]
    pub fn syn_retransmits(&self) -> usize {
        match self.probe.tcp_info {
            Some(info) => info.retransmits as usize,
            None => self
                .events
                .iter()
                .filter(|e| matches!(e.what, Happening::SynRetransmit { .. }))
                .count(),
        }
    }
}
