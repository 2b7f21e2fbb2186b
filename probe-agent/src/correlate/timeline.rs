//! Everything that is known of one probe, ready to be explained.

use crate::{
    probe::{
        outcome::Outcome,
        record::{Closing, ProbeId, ProbeRecord},
    },
    trace::event::{Event, Happening},
};

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
    /// When RSTs without a socket answered a late SYN-ACK of this probe (path A), in time order.
    pub fn late_rsts(&self) -> impl Iterator<Item = u64> {
        self.events.iter().filter_map(|e| match e.what {
            Happening::RstSent { socket: None, .. } => Some(e.at),
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
                .filter(|e| matches!(e.what, Happening::SynRetransmit { .. }))
                .count(),
        }
    }
}
