//! Ready-made values for tests and benchmarks, each with one place to make it. Change what a test is
//! about with `..`: `ProbeRecord { fresh_socket: true, ..probe_record(Outcome::Alive, at) }`.

use std::net::SocketAddr;

use probe_agent_common::{FlowKey, SlotRecord};

use crate::{
    event::{Event, EventKind, FlowEvent, RstReason, TcpState},
    finding::{Evidence, Finding},
    flow::flow,
    outcome::Outcome,
    record::{Closing, HalfOpen, ProbeId, ProbeRecord, RstHooks, StartProblem, StateHook},
    segment::{Segment, TcpFlags},
    target::TargetId,
    verdict::{Proof, Verdict},
};

/// The agent's end of [`tuple()`].
pub const LOCAL: ([u8; 4], u16) = ([10, 77, 0, 1], 40_001);
/// The target's end of [`tuple()`].
pub const REMOTE: ([u8; 4], u16) = ([10, 77, 0, 2], 9000);

/// What an answer to the SYN of every probe must acknowledge.
pub const SYN_END: u32 = 7_001;
/// The sequence number of its SYN-ACK.
pub const SYNACK_SEQ: u32 = 9_000;

/// The 4-tuple of every probe that says nothing else.
#[must_use]
pub fn tuple() -> FlowKey {
    flow(SocketAddr::from(LOCAL), SocketAddr::from(REMOTE))
}

/// A traced, guarded probe of [`tuple()`] whose SYN left at `syn_at`. Errno and closing are those that
/// the outcome usually has. A probe that is alive was answered after 70 us.
#[must_use]
pub fn probe_record(outcome: Outcome, syn_at: u64) -> ProbeRecord {
    let (closing, errno) = match outcome {
        Outcome::Alive => (Closing::Reset, 0),
        Outcome::TimedOut => (Closing::Silent, 0),
        Outcome::Refused => (Closing::ByKernel, libc::ECONNREFUSED),
        Outcome::Unreachable => (Closing::ByKernel, libc::EHOSTUNREACH),
        Outcome::LocalError => (Closing::ByKernel, libc::EADDRNOTAVAIL),
    };
    let record = ProbeRecord {
        id: ProbeId { slot: 1, generation: 1 },
        target: TargetId(0),
        flow: tuple(),
        outcome,
        errno,
        closing,
        started_at: syn_at.saturating_sub(2_000),
        ended_at: syn_at + 125_000,
        answered_at: 0,
        kernel: Some(SlotRecord {
            syn_sent_at: syn_at,
            generation: 1,
            syn_end: SYN_END,
            ..SlotRecord::default()
        }),
        state_hook: StateHook::Tracepoint,
        rst_hooks: RstHooks::Tracepoint,
        tcp_info: None,
        icmp: None,
        start_problem: StartProblem::None,
        clues: None,
        redirected_from: None,
        translation: None,
        fresh_socket: false,
        early_reuse: false,
        half_open: HalfOpen::Enforced,
        confirms: None,
    };
    if outcome == Outcome::Alive { answered(record, 70_000) } else { record }
}

/// The same probe under another name, in the kernel's record, too.
#[must_use]
pub fn named(record: ProbeRecord, id: ProbeId) -> ProbeRecord {
    let kernel = record.kernel.map(|k| SlotRecord { generation: id.generation, ..k });
    ProbeRecord { id, kernel, ..record }
}

/// The same probe, answered so many nanoseconds after its SYN and reset 54 us later.
#[must_use]
pub fn answered(record: ProbeRecord, after: u64) -> ProbeRecord {
    let established_at = record.syn_at() + after;
    let kernel = record.kernel.map(|k| SlotRecord {
        established_at,
        closed_at: established_at + 53_000,
        rst_sent_at: established_at + 54_000,
        synack_end: SYNACK_SEQ + 1,
        synack_flags: 0x12,
        synack_window: 65_160,
        ..k
    });
    ProbeRecord {
        closing: Closing::Reset,
        answered_at: established_at + 9_000,
        ended_at: established_at + 55_000,
        kernel,
        ..record
    }
}

/// A kernel event of [`tuple()`]; `probe` is the one whose socket took part, if any did.
#[must_use]
pub fn flow_event(at: u64, probe: Option<ProbeId>, kind: EventKind) -> FlowEvent {
    let socket = probe.map(|id| (id.slot, id.generation));
    FlowEvent { flow: tuple(), socket, event: Event { at, kind } }
}

/// The SYN-ACK of every probe.
#[must_use]
pub const fn synack() -> Segment {
    Segment { flags: TcpFlags(0x12), seq: SYNACK_SEQ, ack: SYN_END }
}

/// A RST that the kernel sent where no socket was left: its answer to a late SYN-ACK.
#[must_use]
pub const fn rst_without_socket() -> EventKind {
    EventKind::RstSent { socket: None, reason: RstReason::NO_SOCKET, answers: Some(synack()) }
}

/// A RST that the kernel sent in `SYN_SENT`: its answer to a challenge ACK or an old SYN-ACK.
#[must_use]
pub const fn rst_in_syn_sent() -> EventKind {
    EventKind::RstSent {
        socket: Some(TcpState::SynSent),
        reason: RstReason::INVALID_ACK,
        answers: Some(Segment { flags: TcpFlags(0x10), seq: SYNACK_SEQ + 1, ack: SYN_END }),
    }
}

/// A verdict in words, without evidence, advice or link.
#[must_use]
pub fn finding(verdict: Verdict, proof: Proof, sentence: &str) -> Finding {
    let sentence = sentence.to_owned();
    let (claims, evidence) = (Vec::new(), Vec::new());
    Finding { verdict, proof, claims, sentence, evidence, advice: None, link: None }
}

/// One piece of evidence.
#[must_use]
pub fn evidence(at: Option<u64>, text: &str) -> Evidence {
    Evidence { at, text: text.to_owned() }
}
