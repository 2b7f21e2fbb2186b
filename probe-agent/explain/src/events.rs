//! How one kernel event is shown: as steps of the exchange, and as a piece of evidence.

use model::{
    claim::{Act, Claim, Observation},
    errno::errno_text,
    event::{Event, EventKind, RstReason},
    human::Elapsed,
    outcome::Outcome,
    record::ProbeRecord,
    segment::Segment,
    step::{Certainty, Direction, Step, StepKind},
};

use crate::{drops, timeline::Timeline};

/// An event with its hook, and its time after the RST or the SYN.
pub(crate) fn describe(probe: &ProbeRecord, claim: &Claim, event: Event) -> String {
    let what = match event.kind {
        EventKind::RstSent { socket: None, reason, answers } => {
            return answer(probe, claim, event.at, reason, answers);
        }
        EventKind::SynAckRetransmit { .. } => {
            let (after, since) = since_close(probe, event.at);
            return match after {
                Some(after) => format!(
                    "tcp_retransmit_synack by the server on this host, {} {since}",
                    Elapsed(after)
                ),
                None => since_syn(probe, event.at, "tcp_retransmit_synack by the server"),
            };
        }
        EventKind::RstSent { socket: Some(state), reason, .. } => {
            format!("{} in {state} {}", probe.answer_hook(), named(reason))
        }
        EventKind::RstReceived => "tcp_receive_reset".to_owned(),
        EventKind::SynRetransmit { error: 0 } => {
            format!("{}: SYN retransmit", probe.retransmit_hook())
        }
        EventKind::SynRetransmit { error } => {
            let hook = probe.retransmit_hook();
            format!("{hook}: SYN retransmit, which failed: {}", failure(error))
        }
        EventKind::StateChange { from, to } => {
            format!("{} {from} -> {to}", probe.state_hook.name())
        }
        EventKind::SegmentRetransmit { state } => {
            format!("{}: retransmit in {state}", probe.retransmit_hook())
        }
        EventKind::PacketDropped(drop) => format!(
            "kfree_skb of {} in {}, reason={}",
            drops::subject(&drop),
            drops::place(&drop),
            drop.reason.0
        ),
        EventKind::SynAckFromElsewhere { from } => format!(
            "{} without a socket, in answer to a SYN-ACK of {from} that acknowledges our SYN",
            probe.answer_hook()
        ),
        EventKind::AckHeldBack => "ack_guard held back an ACK".to_owned(),
    };
    since_syn(probe, event.at, &what)
}

fn since_syn(probe: &ProbeRecord, at: u64, what: &str) -> String {
    format!("{what}, {} after the SYN", Elapsed(at.saturating_sub(probe.syn_at())))
}

/// A RST that no socket sent: the answer to a late SYN-ACK, or to another segment.
fn answer(
    probe: &ProbeRecord,
    claim: &Claim,
    at: u64,
    reason: RstReason,
    answers: Option<Segment>,
) -> String {
    let hook = probe.answer_hook();
    let other = answers.filter(|segment| !segment.flags.is_synack());
    if let Some(segment) = other {
        let what = format!("{hook} in answer to a segment of this connection ({})", segment.flags);
        return since_syn(probe, at, &what);
    }
    let copy = if matches!(claim.act, Act::SentCopy { .. }) {
        ": a second copy of the SYN-ACK, which may have left before our RST could arrive"
    } else {
        ""
    };
    let (after, since) = since_close(probe, at);
    let after = Elapsed(after.unwrap_or_default());
    format!("{hook} {} on this flow, {after} {since}{copy}", named(reason))
}

/// How long after the close, if it was after that, and the words for it.
fn since_close(probe: &ProbeRecord, at: u64) -> (Option<u64>, &'static str) {
    match probe.rst_at() {
        Some(rst) => (at.checked_sub(rst), "after our RST"),
        None => (at.checked_sub(probe.ended_at), "after the end of the probe"),
    }
}

/// The reset reason as the tracepoint prints it, if the kernel gives one.
fn named(reason: RstReason) -> String {
    if reason == RstReason::NONE {
        "(no reason given)".to_owned()
    } else {
        format!("reason={}", reason.0)
    }
}

/// Why a segment did not leave this host: an errno, or above 0 a verdict of the send queue (`NET_XMIT_DROP`).
fn failure(error: i32) -> &'static str {
    match -error {
        libc::EPERM => "dropped by this host's own firewall (EPERM)",
        libc::EBUSY => "the SYN still waits in this host's send queue (EBUSY)",
        ..=-1 => "dropped at the interface, by a tc program or its send queue (NET_XMIT_DROP)",
        errno => errno_text(errno),
    }
}

/// The steps that one event adds. What an event means is taken from the claims.
pub(crate) fn push_steps(
    timeline: &Timeline,
    claims: &[Claim],
    event: &Event,
    steps: &mut Vec<Step>,
) {
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
                steps.push(concluded(
                    StepKind::SynAckRetransmit,
                    late_synack_note(timeline, claims, event),
                ));
            }
            let note = format!("sent by the kernel: no socket ({reason})");
            let certainty = recovery_certainty(claims, event);
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
            let note = rst_note(claims);
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

/// What a RST that arrived was, as the claims have it.
fn rst_note(claims: &[Claim]) -> &'static str {
    let note = |claim: &Claim| match claim.act {
        Act::RefusedItself => Some((0, "made by this host's own firewall")),
        Act::MetConfirmation { outcome: Outcome::Alive, .. } => {
            Some((1, "meant for the stale connection, not for this SYN"))
        }
        Act::Reset { .. } => Some((2, "connection reset by the target")),
        Act::Refused { .. } => Some((3, "connection refused")),
        _ => None,
    };
    claims.iter().filter_map(note).min().map_or("", |(_, note)| note)
}

/// Whether a claim of such an act rests on the event.
fn is_claimed(claims: &[Claim], event: &Event, is_wanted: impl Fn(&Act) -> bool) -> bool {
    let observation = Observation::Event(*event);
    claims
        .iter()
        .any(|claim| is_wanted(&claim.act) && claim.basis.observations().contains(&observation))
}

/// Why the server sent another SYN-ACK, as the claims have it.
fn late_synack_note(timeline: &Timeline, claims: &[Claim], event: &Event) -> String {
    let Some(rst) = timeline.probe.rst_at() else {
        let after = event.at.saturating_sub(timeline.probe.ended_at);
        return format!("{} after the probe timed out", Elapsed(after));
    };
    let after = Elapsed(event.at.saturating_sub(rst));
    if is_claimed(claims, event, |act| matches!(act, Act::SentCopy { .. })) {
        "a second copy, which may have left before our RST could arrive".to_owned()
    } else if is_claimed(claims, event, |act| matches!(act, Act::RetransmittedSynAck { .. })) {
        format!("its retransmit timer, {after} after the close")
    } else {
        format!("{after} after the close")
    }
}

/// A RST that answered a SYN-ACK retransmit was lost if another one followed.
fn recovery_certainty(claims: &[Claim], event: &Event) -> Certainty {
    let is_repeated = claims.iter().any(|claim| {
        let observations = claim.basis.observations();
        matches!(claim.act, Act::RetransmittedSynAck { .. })
            && observations.contains(&Observation::Event(*event))
            && observations.iter().any(|o| is_answer_after(o, event.at))
    });
    if is_repeated { Certainty::Lost } else { Certainty::Seen }
}

fn is_answer_after(observation: &Observation, at: u64) -> bool {
    matches!(observation, Observation::Event(event)
        if event.at > at && !matches!(event.kind, EventKind::SynAckRetransmit { .. }))
}
