//! The steps of the exchange, from the slot's record and the kernel events.

use crate::{synack::SynAckKind, timeline::Timeline};
use model::{
    errno::errno_text,
    event::{Event, EventKind},
    human::Elapsed,
    outcome::Outcome,
    record::Closing,
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
    let recorded = |at, kind, note, hook| Step {
        certainty: if traced { Certainty::Seen } else { Certainty::Concluded },
        ..step(at, kind, note, if traced { hook } else { "" })
    };
    let error = |at| step(at, StepKind::Error, errno_text(probe.errno).to_owned(), "");
    if probe.outcome == Outcome::LocalError && !traced {
        return vec![error(probe.started_at)];
    }
    let state_hook = probe.state_hook.name();
    let mut steps = vec![recorded(probe.syn_at(), StepKind::Syn, String::new(), state_hook)];
    if let Some(handshake) = probe.handshake_ns() {
        let note = format!("handshake answered in {}", Elapsed(handshake));
        steps.push(recorded(probe.syn_at() + handshake, StepKind::SynAck, note, state_hook));
    }
    if let Some(at) = probe.rst_at() {
        let rst = recorded(at, StepKind::Rst, String::new(), "tcp_send_reset");
        let lost = timeline.later.is_some() || timeline.recoveries().next().is_some();
        steps.push(if lost {
            let note = "lost: left the server in SYN_RECV".to_owned();
            Step { certainty: Certainty::Lost, note, ..rst }
        } else {
            rst
        });
    }
    match probe.outcome {
        Outcome::Alive | Outcome::Refused => {}
        Outcome::TimedOut => {
            let note = match probe.closing {
                Closing::Silent => "the agent stopped waiting; closing in SYN_SENT sends no RST",
                Closing::Reset | Closing::ByKernel => "the kernel gave up",
            };
            steps.push(step(probe.ended_at, StepKind::TimedOut, note.to_owned(), ""));
        }
        Outcome::Unreachable | Outcome::LocalError => steps.push(error(probe.ended_at)),
    }
    if probe.outcome == Outcome::Refused && !traced {
        let note = "connection refused".to_owned();
        steps.push(recorded(probe.answered_at, StepKind::RstReceived, note, ""));
    }
    if let Some(later) = timeline.later {
        let note = format!("probe {} reused the port and met the stale connection", later.id);
        let met = step(later.at, StepKind::ChallengeAck, note, "");
        steps.push(Step { direction: Direction::Here, ..met });
    }
    steps
}

/// A step that a hook saw, or one at the agent's end.
fn step(at: u64, kind: StepKind, note: String, hook: &'static str) -> Step {
    let direction = match kind {
        StepKind::Syn
        | StepKind::SynRetransmit
        | StepKind::Rst
        | StepKind::RecoveryRst
        | StepKind::AckHeldBack => Direction::Out,
        StepKind::SynAck
        | StepKind::SynAckRetransmit
        | StepKind::ChallengeAck
        | StepKind::RstReceived => Direction::In,
        StepKind::TimedOut
        | StepKind::Error
        | StepKind::StateChange
        | StepKind::SegmentRetransmit => Direction::Here,
    };
    Step { at, kind, direction, certainty: Certainty::Seen, note, hook }
}

/// The steps that one event adds.
fn push_event(timeline: &Timeline, event: &Event, steps: &mut Vec<Step>) {
    let at = event.at;
    let concluded =
        |kind, note| Step { certainty: Certainty::Concluded, ..step(at, kind, note, "") };
    let last = match event.kind {
        EventKind::RstSent { socket: None, reason } => {
            // A hook sees a server on this host retransmit; for other servers it is concluded.
            if !synack_was_seen(timeline, at) {
                steps.push(concluded(StepKind::SynAckRetransmit, late_synack_note(timeline, at)));
            }
            let note = format!("sent by the kernel: no socket ({reason})");
            let certainty = recovery_certainty(timeline, at);
            Step { certainty, ..step(at, StepKind::RecoveryRst, note, "tcp_send_reset") }
        }
        EventKind::RstSent { socket: Some(state), reason } => {
            if event.answers_stale_reply() {
                let note = "acknowledges another SYN: a stale reply on this port".to_owned();
                steps.push(concluded(StepKind::ChallengeAck, note));
            }
            let note = format!("sent by the kernel in {state} ({reason})");
            step(at, StepKind::RecoveryRst, note, "tcp_send_reset")
        }
        EventKind::RstReceived => {
            let note = if timeline.falsely_refused() {
                "meant for the stale connection, not for this SYN"
            } else {
                "connection refused"
            };
            step(at, StepKind::RstReceived, note.to_owned(), "tcp_receive_reset")
        }
        EventKind::SynRetransmit { error } => {
            let note = match error {
                0 => "",
                -1 => "dropped by this host's own firewall (EPERM)",
                e => errno_text(-e),
            };
            step(at, StepKind::SynRetransmit, note.to_owned(), "tcp_retransmit_skb")
        }
        EventKind::SynAckRetransmit => {
            let note = "seen leaving the server, which is on this host".to_owned();
            step(at, StepKind::SynAckRetransmit, note, "tcp_retransmit_synack")
        }
        EventKind::StateChange { from, to } => {
            let hook = timeline.probe.state_hook.name();
            step(at, StepKind::StateChange, format!("{from} -> {to}"), hook)
        }
        EventKind::AckHeldBack => {
            let note = "held back by the ACK guard: it would have woken accept()".to_owned();
            let certainty = Certainty::Lost;
            Step { certainty, ..step(at, StepKind::AckHeldBack, note, "ack_guard") }
        }
        EventKind::SegmentRetransmit { state } => {
            let note = format!("segment retransmitted in {state}");
            step(at, StepKind::SegmentRetransmit, note, "tcp_retransmit_skb")
        }
    };
    steps.push(last);
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
    let repeated = timeline.recoveries().any(|later| later > at);
    let needed =
        timeline.probe.rst_at().is_some() && timeline.synack_kind(at) != SynAckKind::Duplicate;
    if repeated && needed { Certainty::Lost } else { Certainty::Seen }
}
