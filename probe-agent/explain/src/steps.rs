//! The steps of the exchange, from the slot's record and the kernel events.

use crate::{synack::SynAckKind, timeline::Timeline};
use model::errno::errno_text;
use model::{
    event::{Event, EventKind},
    outcome::Outcome,
    record::Closing,
};
use model::{
    human::Elapsed,
    step::{Certainty, Direction, Step, StepKind},
};

/// The steps of a probe, in time order.
pub(crate) fn steps(timeline: &Timeline) -> Vec<Step> {
    let mut steps = own_steps(timeline);
    for event in &timeline.events {
        push_event(timeline, event, &mut steps);
    }
    // Several steps may have the same time; the stable sort keeps them in causal order.
    steps.sort_by_key(|s| s.at);
    steps
}

/// SYN, answer and RST, from the slot's record or, without one, from userspace times.
fn own_steps(timeline: &Timeline) -> Vec<Step> {
    let probe = &timeline.probe;
    let traced = probe.kernel.is_some_and(|k| k.syn_sent_at != 0);
    let certainty = if traced { Certainty::Seen } else { Certainty::Concluded };
    let hook = |name| if traced { name } else { "" };
    if probe.outcome == Outcome::LocalError && !traced {
        return vec![local_step(probe.started_at, StepKind::Error, error_note(timeline))];
    }
    let mut steps = vec![Step {
        at: probe.syn_at(),
        kind: StepKind::Syn,
        direction: Direction::Out,
        certainty,
        note: String::new(),
        hook: hook(probe.state_hook.name()),
    }];
    if let Some(handshake) = probe.handshake_ns() {
        steps.push(Step {
            at: probe.syn_at() + handshake,
            kind: StepKind::SynAck,
            direction: Direction::In,
            certainty,
            note: format!("handshake answered in {}", Elapsed(handshake)),
            hook: hook(probe.state_hook.name()),
        });
    }
    if let Some(at) = probe.rst_at() {
        let lost = timeline.later.is_some() || timeline.recoveries().next().is_some();
        steps.push(Step {
            at,
            kind: StepKind::Rst,
            direction: Direction::Out,
            certainty: if lost { Certainty::Lost } else { certainty },
            note: if lost { "lost: left the server in SYN_RECV" } else { "" }.to_owned(),
            hook: hook("tcp_send_reset"),
        });
    }
    match probe.outcome {
        Outcome::Alive | Outcome::Refused => {}
        Outcome::TimedOut => {
            let note = match probe.closing {
                Closing::Silent => "the agent stopped waiting; closing in SYN_SENT sends no RST",
                Closing::Reset | Closing::ByKernel => "the kernel gave up",
            };
            steps.push(local_step(probe.ended_at, StepKind::TimedOut, note.to_owned()));
        }
        Outcome::Unreachable | Outcome::LocalError => {
            steps.push(local_step(probe.ended_at, StepKind::Error, error_note(timeline)));
        }
    }
    if probe.outcome == Outcome::Refused && !traced {
        steps.push(Step {
            at: probe.answered_at,
            kind: StepKind::RstReceived,
            direction: Direction::In,
            certainty: Certainty::Concluded,
            note: "connection refused".to_owned(),
            hook: "",
        });
    }
    if let Some(later) = timeline.later {
        let note = format!("probe {} reused the port and met the stale connection", later.id);
        steps.push(local_step(later.at, StepKind::ChallengeAck, note));
    }
    steps
}

fn error_note(timeline: &Timeline) -> String {
    errno_text(timeline.probe.errno).to_owned()
}

fn local_step(at: u64, kind: StepKind, note: String) -> Step {
    Step { at, kind, direction: Direction::Here, certainty: Certainty::Seen, note, hook: "" }
}

/// The steps that one event adds.
fn push_event(timeline: &Timeline, event: &Event, steps: &mut Vec<Step>) {
    let mut push = |at, kind, direction, certainty, note: &str, hook| {
        steps.push(Step { at, kind, direction, certainty, note: note.to_owned(), hook });
    };
    let at = event.at;
    match event.kind {
        EventKind::RstSent { socket: None, reason } => {
            // A hook sees a server on this host retransmit; for other servers it is concluded.
            if !synack_was_seen(timeline, at) {
                let note = late_synack_note(timeline, at);
                let kind = StepKind::SynAckRetransmit;
                push(at, kind, Direction::In, Certainty::Concluded, &note, "");
            }
            let note = format!("sent by the kernel: no socket ({})", reason_name(reason.0));
            let kind = StepKind::RecoveryRst;
            push(
                at,
                kind,
                Direction::Out,
                recovery_certainty(timeline, at),
                &note,
                "tcp_send_reset",
            );
        }
        EventKind::RstSent { socket: Some(state), reason } => {
            if event.answers_stale_reply() {
                let note = "acknowledges another SYN: a stale reply on this port";
                let kind = StepKind::ChallengeAck;
                push(at, kind, Direction::In, Certainty::Concluded, note, "");
            }
            let note = format!("sent by the kernel in {state} ({})", reason_name(reason.0));
            push(
                at,
                StepKind::RecoveryRst,
                Direction::Out,
                Certainty::Seen,
                &note,
                "tcp_send_reset",
            );
        }
        EventKind::RstReceived => {
            let note = if timeline.falsely_refused() {
                "meant for the stale connection, not for this SYN"
            } else {
                "connection refused"
            };
            push(
                at,
                StepKind::RstReceived,
                Direction::In,
                Certainty::Seen,
                note,
                "tcp_receive_reset",
            );
        }
        EventKind::SynRetransmit { error } => {
            let note = match error {
                0 => String::new(),
                -1 => "dropped by this host's own firewall (EPERM)".to_owned(),
                e => errno_text(-e).to_owned(),
            };
            push(
                at,
                StepKind::SynRetransmit,
                Direction::Out,
                Certainty::Seen,
                &note,
                "tcp_retransmit_skb",
            );
        }
        EventKind::SynAckRetransmit => {
            let note = "seen leaving the server, which is on this host";
            let kind = StepKind::SynAckRetransmit;
            push(at, kind, Direction::In, Certainty::Seen, note, "tcp_retransmit_synack");
        }
        EventKind::StateChange { from, to } => {
            let note = format!("{from} -> {to}");
            push(
                at,
                StepKind::StateChange,
                Direction::Here,
                Certainty::Seen,
                &note,
                timeline.probe.state_hook.name(),
            );
        }
        EventKind::AckHeldBack => {
            let note = "held back by the ACK guard: it would have woken accept()";
            push(at, StepKind::AckHeldBack, Direction::Out, Certainty::Lost, note, "ack_guard");
        }
        EventKind::SegmentRetransmit { state } => {
            let note = format!("segment retransmitted in {state}");
            push(
                at,
                StepKind::SegmentRetransmit,
                Direction::Here,
                Certainty::Seen,
                &note,
                "tcp_retransmit_skb",
            );
        }
    }
}

/// The reset reason; older kernels give none.
fn reason_name(reason: &str) -> &str {
    if reason.is_empty() { "no reason given" } else { reason }
}

/// Whether a hook saw the server send, within the last half second, the SYN-ACK that a RST at `at`
/// answers.
fn synack_was_seen(timeline: &Timeline, at: u64) -> bool {
    timeline
        .events
        .iter()
        .any(|e| e.kind == EventKind::SynAckRetransmit && e.at <= at && at - e.at < 500_000_000)
}

/// Why the server sent another SYN-ACK, judging by the time.
fn late_synack_note(timeline: &Timeline, at: u64) -> String {
    match timeline.probe.rst_at() {
        Some(_) if timeline.synack_kind(at) == SynAckKind::Duplicate => {
            "a second copy, sent before our RST could arrive".to_owned()
        }
        Some(rst) => {
            format!("its retransmit timer, {} after the close", Elapsed(at.saturating_sub(rst)))
        }
        None => {
            let after = at.saturating_sub(timeline.probe.ended_at);
            format!("{} after the probe timed out", Elapsed(after))
        }
    }
}

/// A RST that answered a SYN-ACK retransmit was lost if another one followed.
fn recovery_certainty(timeline: &Timeline, at: u64) -> Certainty {
    let again = timeline.recoveries().any(|later| later > at);
    let needed =
        timeline.probe.rst_at().is_some() && timeline.synack_kind(at) != SynAckKind::Duplicate;
    if again && needed { Certainty::Lost } else { Certainty::Seen }
}
