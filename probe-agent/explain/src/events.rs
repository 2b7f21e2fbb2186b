//! How one kernel event is shown: as steps of the exchange, and as a piece of evidence.

use model::{
    errno::errno_text,
    event::{Event, EventKind, RstReason},
    human::Elapsed,
    step::{Certainty, Direction, Step, StepKind},
};

use crate::{drops, synack::SynAckKind, timeline::Timeline};

/// The event as evidence: its hook, and what that reported.
pub(crate) fn describe(timeline: &Timeline, kind: EventKind) -> String {
    match kind {
        EventKind::RstSent { socket, reason, .. } => {
            let socket = socket.map_or("without a socket".to_owned(), |s| format!("in {s}"));
            format!("{} {socket} {}", timeline.probe.answer_hook(), named(reason))
        }
        EventKind::RstReceived => "tcp_receive_reset".to_owned(),
        EventKind::SynRetransmit { error: 0 } => {
            format!("{}: SYN retransmit", timeline.probe.retransmit_hook())
        }
        EventKind::SynRetransmit { error } => {
            let hook = timeline.probe.retransmit_hook();
            format!("{hook}: SYN retransmit, which failed: {}", failure(error))
        }
        EventKind::StateChange { from, to } => {
            format!("{} {from} -> {to}", timeline.probe.state_hook.name())
        }
        EventKind::SegmentRetransmit { state } => {
            format!("{}: retransmit in {state}", timeline.probe.retransmit_hook())
        }
        EventKind::SynAckRetransmit { .. } => "tcp_retransmit_synack by the server".to_owned(),
        EventKind::PacketDropped(drop) => format!(
            "kfree_skb of {} in {}, reason={}",
            drops::subject(&drop),
            drops::place(&drop),
            drop.reason.0
        ),
        EventKind::SynAckFromElsewhere { from } => format!(
            "{} without a socket, in answer to a SYN-ACK of {from} that acknowledges our SYN",
            timeline.probe.answer_hook()
        ),
        EventKind::AckHeldBack => "ack_guard held back an ACK".to_owned(),
    }
}

/// Why a segment did not leave this host: an errno, or above 0 a verdict of the send queue (`NET_XMIT_DROP`).
fn failure(error: i32) -> &'static str {
    match -error {
        libc::EPERM => "dropped by this host's own firewall (EPERM)",
        libc::EBUSY => "the SYN still waits in this host's send queue (EBUSY)",
        ..=-1 => "dropped by the send queue of the interface (NET_XMIT_DROP)",
        errno => errno_text(errno),
    }
}

/// The reset reason as the tracepoint prints it, if the kernel gives one.
pub(crate) fn named(reason: RstReason) -> String {
    if reason == RstReason::NONE {
        "(no reason given)".to_owned()
    } else {
        format!("reason={}", reason.0)
    }
}

/// The steps that one event adds.
pub(crate) fn push_steps(timeline: &Timeline, event: &Event, steps: &mut Vec<Step>) {
    let at = event.at;
    let concluded = |kind, note: String| Step::seen(at, kind, note, "").concluded();
    let last = match event.kind {
        EventKind::RstSent { socket: None, reason, answers }
            if !timeline.acknowledges_syn(answers) =>
        {
            let note = format!(
                "sent by the kernel: answers a {} of another connection ({reason})",
                answers.map_or_else(String::new, |segment| segment.flags.to_string())
            );
            Step::seen(at, StepKind::RecoveryRst, note, timeline.probe.answer_hook())
        }
        EventKind::RstSent { socket: None, reason, .. } => {
            // A hook sees a server on this host retransmit; for other servers it is concluded.
            if !synack_was_seen(timeline, at) {
                steps.push(concluded(StepKind::SynAckRetransmit, late_synack_note(timeline, at)));
            }
            let note = format!("sent by the kernel: no socket ({reason})");
            let certainty = recovery_certainty(timeline, at);
            let hook = timeline.probe.answer_hook();
            Step { certainty, ..Step::seen(at, StepKind::RecoveryRst, note, hook) }
        }
        EventKind::RstSent { socket: Some(state), reason, answers } => {
            if event.kind.answers_stale_reply() {
                let is_synack = answers.is_some_and(|segment| segment.flags.is_synack());
                let kind = if is_synack { StepKind::SynAck } else { StepKind::ChallengeAck };
                let note = "acknowledges another SYN: a stale reply on this port".to_owned();
                let step = Step::seen(at, kind, note, timeline.probe.answer_hook());
                steps.push(if answers.is_some() { step } else { step.concluded() });
            }
            let note = format!("sent by the kernel in {state} ({reason})");
            Step::seen(at, StepKind::RecoveryRst, note, timeline.probe.answer_hook())
        }
        EventKind::RstReceived => {
            let note = if timeline.falsely_refused() {
                "meant for the stale connection, not for this SYN"
            } else if timeline.was_refused_here() {
                "made by this host's own firewall"
            } else if timeline.was_reset_by_target() {
                "connection reset by the target"
            } else {
                "connection refused"
            };
            Step::seen(at, StepKind::RstReceived, note.to_owned(), "tcp_receive_reset")
        }
        EventKind::SynRetransmit { error } => {
            let note = if error == 0 { "" } else { failure(error) };
            let hook = timeline.probe.retransmit_hook();
            Step::seen(at, StepKind::SynRetransmit, note.to_owned(), hook)
        }
        EventKind::SynAckRetransmit { .. } => {
            let note = "seen leaving the server, which is on this host".to_owned();
            Step::seen(at, StepKind::SynAckRetransmit, note, "tcp_retransmit_synack")
        }
        EventKind::StateChange { from, to } => {
            let hook = timeline.probe.state_hook.name();
            Step::seen(at, StepKind::StateChange, format!("{from} -> {to}"), hook)
        }
        EventKind::AckHeldBack => {
            let note = "held back by the ACK guard: it would have woken accept()".to_owned();
            let certainty = Certainty::Lost;
            Step { certainty, ..Step::seen(at, StepKind::AckHeldBack, note, "ack_guard") }
        }
        EventKind::SegmentRetransmit { state } => {
            let note = format!("segment retransmitted in {state}");
            Step::seen(at, StepKind::SegmentRetransmit, note, timeline.probe.retransmit_hook())
        }
        EventKind::SynAckFromElsewhere { from } => {
            let note = format!("from {from}, not from the target; reset by our kernel");
            Step::seen(at, StepKind::SynAck, note, timeline.probe.answer_hook())
        }
        EventKind::PacketDropped(drop) => {
            let note = format!(
                "{} dropped by {}: {}",
                drops::subject(&drop),
                drops::place(&drop),
                drop.reason.0
            );
            let direction = if drop.outgoing { Direction::Out } else { Direction::In };
            let step = Step::seen(at, StepKind::PacketDropped, note, "kfree_skb");
            Step { certainty: Certainty::Lost, direction, ..step }
        }
    };
    steps.push(last);
}

/// Whether a hook saw the server send, within the last half second, the SYN-ACK that a RST at `at`
/// answers.
fn synack_was_seen(timeline: &Timeline, at: u64) -> bool {
    timeline.events.iter().any(|e| {
        matches!(e.kind, EventKind::SynAckRetransmit { .. })
            && e.at <= at
            && at - e.at < 500_000_000
    })
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
