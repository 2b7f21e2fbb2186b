//! Everything that is known about one probe, ready to be explained.

use std::net::SocketAddr;

use crate::timers::{SYN_TIMER_EXPIRED, TIMER_MIN};
use model::{
    event::{Event, EventKind, TcpState},
    outcome::Outcome,
    record::{Closing, ProbeId, ProbeRecord},
    segment::Segment,
};

/// How much of the kernel's side the hooks saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Every hook was attached, and no event was lost while this probe was open or followed.
    Full,
    /// As `Full`, but RSTs that no socket sends are not reported: SYN-ACK retransmits after the close do
    /// not show.
    SocketsOnly,
    /// The state changes are reported, but not all that the probe's own socket sends: its retransmits or
    /// the RST of its close. Nothing is more than inferred.
    Incomplete,
    /// The hooks were attached, but events were lost while this probe was open or followed.
    EventsLost,
    /// No tracing, or no hook observed this probe.
    None,
}

/// Where a reply that did not belong to this probe's SYN came from: a remnant of an earlier probe on the
/// same 4-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaleReply {
    /// A stale half-open connection in `SYN_RECV`, which no RST had reached.
    Connection,
    /// The late answer to the SYN of a probe that had timed out. It counts for the later probe, because
    /// nothing arrived while the earlier one was followed.
    LateAnswer,
    /// A second copy of the earlier probe's SYN-ACK, still in flight. It shows nothing about the RST.
    DuplicateSynAck,
}

/// The earlier probe that a stale reply came from; or may have come from, if this probe was refused and
/// never confirmed (path C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The earlier probe; `None` if no probe of this run was still being followed.
    pub id: Option<ProbeId>,
    /// How it was closed; `None` if unknown.
    pub closing: Option<Closing>,
    /// When it ended, nanoseconds of `CLOCK_MONOTONIC`; 0 if unknown.
    pub ended_at: u64,
    /// What an answer to its SYN acknowledges; `None` if unknown.
    pub syn_end: Option<u32>,
    /// Where the stale reply came from.
    pub stale: StaleReply,
    /// Whether the sequence numbers show that it belongs to that probe's connection.
    pub is_matched: bool,
    /// That probe's local port, if it is not this probe's: an address translation on the way gave both the
    /// same port.
    pub other_port: Option<u16>,
}

/// A later probe that met this probe's stale connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Later {
    /// The later probe.
    pub id: ProbeId,
    /// When its SYN met the stale connection, nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// Whether it eventually got an answer of its own, which shows that the stale connection is gone.
    pub recovered: bool,
    /// Whether the sequence numbers show that the connection was this probe's.
    pub is_matched: bool,
    /// The later probe's local port, if it is not this probe's: an address translation on the way gave both
    /// the same port.
    pub other_port: Option<u16>,
}

/// The confirmation probe, sent from another port if one is free, to check whether a refusal was false (path C).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The confirmation probe.
    pub id: ProbeId,
    /// Its local port.
    pub local_port: u16,
    /// How it ended.
    pub outcome: Outcome,
}

/// One probe with its kernel events; no further events are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The probe.
    pub probe: ProbeRecord,
    /// Its unusual events in kernel time order. A clean probe has none: its steps are in `probe.kernel`.
    pub events: Vec<Event>,
    /// How much of the kernel's side the hooks saw.
    pub coverage: Coverage,
    /// Until when the probe was followed for late events, nanoseconds of `CLOCK_MONOTONIC`.
    pub followed_until: u64,
    /// A later probe on the 4-tuple found no stale connection: proof that the server had dropped this
    /// probe's half-open connection.
    pub reused_cleanly: bool,
    /// The earlier probe that this one got a stale reply from.
    pub earlier: Option<Earlier>,
    /// The later probe that met this one's stale connection.
    pub later: Option<Later>,
    /// A later probe that met a further SYN-ACK of this handshake, and when. It shows nothing about the RST.
    pub copy_met: Option<(ProbeId, u64)>,
    /// A later probe on the 4-tuple was refused, perhaps by what this one left, and no confirmation probe
    /// decided: then nothing that came afterwards shows what the server held.
    pub reuse_in_doubt: bool,
    /// The confirmation probe after a refusal.
    pub confirmation: Option<Confirmation>,
}

impl Timeline {
    /// An event that may have been this probe's was lost.
    pub fn set_events_lost(&mut self) {
        if self.coverage != Coverage::None {
            self.coverage = Coverage::EventsLost;
        }
    }

    /// The outcome for a health checker. A refusal that a confirmation probe disproved counts as alive
    /// (path C); if the confirmation probe decided nothing, the refusal stands. A refusal by this host's own
    /// firewall is a local error.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.falsely_refused() {
            Outcome::Alive
        } else if self.was_refused_here() {
            Outcome::LocalError
        } else {
            self.probe.outcome
        }
    }

    /// Whether the peer opened the connection at the same time (RFC 9293, section 3.5): its SYN came instead
    /// of a SYN-ACK.
    pub(crate) fn was_opened_simultaneously(&self) -> bool {
        self.events.iter().any(|e| {
            matches!(
                e.kind,
                EventKind::StateChange { from: TcpState::SynSent, to: TcpState::Other(3) }
            )
        })
    }

    /// Whether the target reset the connection that it had accepted with a SYN-ACK.
    pub(crate) fn was_reset_by_target(&self) -> bool {
        let errno = matches!(self.probe.errno, libc::ECONNRESET | libc::EPIPE);
        self.probe.outcome == Outcome::Alive
            && (errno || self.rst_received_at().is_some() || self.late_target_rst().is_some())
    }

    /// When a RST arrived for the probe's socket.
    pub(crate) fn rst_received_at(&self) -> Option<u64> {
        self.events.iter().find(|e| e.kind == EventKind::RstReceived).map(|e| e.at)
    }

    /// ACKs of ours that left: the segments that the kernel counted for the socket, minus its SYNs and
    /// the ACKs that the guard held back. 0 without the kernel's counts.
    pub(crate) fn acks_leaked(&self) -> u32 {
        let Some(kernel) = self.probe.kernel else { return 0 };
        if self.was_opened_simultaneously() {
            // Its other segments are SYN-ACKs.
            return 0;
        }
        let retransmits = u32::try_from(self.syn_retransmits()).unwrap_or(u32::MAX);
        let syns = 1 + retransmits.max(u32::from(kernel.retransmits));
        kernel.segments_out.saturating_sub(syns).saturating_sub(u32::from(kernel.acks_held))
    }

    /// The segment that [`Self::stale_reply_at`] is about; `None` if it was not read.
    pub(crate) fn stale_reply(&self) -> Option<Segment> {
        self.stale_replies().first().and_then(|(_, segment)| *segment)
    }

    /// The segments that acknowledged another SYN, each with its time. Where none was reported, the one
    /// whose traces [`Self::stale_reply_at`] found, or that refused this probe falsely.
    pub(crate) fn stale_replies(&self) -> Vec<(u64, Option<Segment>)> {
        let reported = self.events.iter().filter(|e| e.kind.answers_stale_reply());
        let mut all: Vec<_> = reported
            .map(|e| match e.kind {
                EventKind::RstSent { answers, .. } => (e.at, answers),
                _ => (e.at, None),
            })
            .collect();
        if all.is_empty() {
            let refused = self.falsely_refused().then(|| self.probe.syn_at());
            all.extend(self.stale_reply_at().or(refused).map(|at| (at, None)));
        }
        all
    }

    /// When a reply arrived that belongs to an earlier probe: the kernel sent a RST in `SYN_SENT`.
    /// Where no hook reports that, a SYN that was retransmitted long before its timer is the sign of it.
    pub(crate) fn stale_reply_at(&self) -> Option<u64> {
        let reported = self.events.iter().find(|e| e.kind.answers_stale_reply()).map(|e| e.at);
        reported.or_else(|| {
            let quick = self.probe.answered_at.saturating_sub(self.probe.started_at) < TIMER_MIN;
            let stale =
                self.counted_retransmits()? > 0 && self.probe.outcome == Outcome::Alive && quick;
            stale.then_some(self.probe.started_at)
        })
    }

    /// Whether a stale connection may have refused this probe (path C, which concerns fresh sockets only), and
    /// no confirmation probe decided.
    pub(crate) fn is_doubtful_refusal(&self) -> bool {
        let is_decided =
            |probe: Confirmation| matches!(probe.outcome, Outcome::Alive | Outcome::Refused);
        self.probe.outcome == Outcome::Refused
            && self.probe.fresh_socket
            && !self.confirmation.is_some_and(is_decided)
    }

    /// The earlier probe whose stale connection may have refused this one, where no confirmation probe decided.
    pub(crate) fn doubt(&self) -> Option<Earlier> {
        let is_decided =
            |probe: Confirmation| matches!(probe.outcome, Outcome::Alive | Outcome::Refused);
        let undecided = !self.confirmation.is_some_and(is_decided);
        self.earlier.filter(|_| undecided && self.probe.outcome == Outcome::Refused)
    }

    /// Whether a confirmation probe disproved the refusal (path C).
    pub(crate) fn falsely_refused(&self) -> bool {
        self.probe.outcome == Outcome::Refused
            && self.confirmation.is_some_and(|probe| probe.outcome == Outcome::Alive)
    }

    /// How many RSTs the kernel sent in answer to late SYN-ACKs, challenge ACKs and stale SYN-ACKs.
    #[must_use]
    pub fn recovery_rsts(&self) -> usize {
        let stale = self.events.iter().filter(|e| e.kind.answers_stale_reply()).count();
        self.late_rsts().count() + stale
    }

    /// How often the SYN was retransmitted.
    #[must_use]
    pub fn syn_retransmits(&self) -> usize {
        self.counted_retransmits().unwrap_or_else(|| self.syn_retransmit_events())
    }

    /// How often the SYN was retransmitted by the kernel's count; `None` where a hook reports each
    /// retransmit.
    fn counted_retransmits(&self) -> Option<usize> {
        match (self.probe.tcp_info, self.probe.kernel) {
            (Some(info), _) => Some(info.retransmits as usize),
            (None, Some(kernel)) if self.coverage == Coverage::Incomplete => {
                Some(usize::from(kernel.retransmits).max(self.syn_retransmit_events()))
            }
            (None, _) => None,
        }
    }

    /// How long after the SYN its first retransmit came, if that was long before its timer: an answer came that
    /// was not acceptable (`tcp_rcv_synsent_state_process`). After a stale reply, that is known to be the cause.
    pub(crate) fn early_retransmit(&self) -> Option<u64> {
        let first = self.events.iter().find(|e| e.kind.is_syn_retransmit())?;
        let after = first.at.saturating_sub(self.probe.syn_at());
        (after < TIMER_MIN && self.stale_reply_at().is_none()).then_some(after)
    }

    /// Who sent a SYN-ACK for the probe's SYN in the target's place.
    pub(crate) fn answered_from_elsewhere(&self) -> Option<SocketAddr> {
        self.events.iter().find_map(|e| match e.kind {
            EventKind::SynAckFromElsewhere { from } => Some(from),
            _ => None,
        })
    }

    /// How often a SYN retransmit failed to leave this host, as a hook reported.
    pub(crate) fn failed_syn_retransmits(&self) -> usize {
        let failed =
            |e: &&Event| matches!(e.kind, EventKind::SynRetransmit { error } if error != 0);
        self.events.iter().filter(failed).count()
    }

    /// Whether the SYN still waited in this host when its timers had expired: the kernel does not send it
    /// again while the first one has not left (`skb_still_in_host_queue`).
    pub(crate) fn syn_is_stuck(&self) -> bool {
        let probe = &self.probe;
        let waited = probe.closed_at().saturating_sub(probe.syn_at());
        probe.outcome == Outcome::TimedOut
            && probe.kernel.is_some_and(|k| k.established_at == 0 && k.retransmits == 0)
            && self.syn_retransmit_events() == self.failed_syn_retransmits()
            && !self.was_opened_simultaneously()
            && matches!(self.coverage, Coverage::Full | Coverage::SocketsOnly)
            && waited >= SYN_TIMER_EXPIRED
    }

    /// How many SYN retransmits a hook reported.
    pub(crate) fn syn_retransmit_events(&self) -> usize {
        self.events.iter().filter(|e| e.kind.is_syn_retransmit()).count()
    }
}
