//! What happened, in a sentence or two.
//!
//! A conclusion is worded as a conclusion, and a verdict that is not confirmed says what its proof lacks.

mod cause;
mod lost;
mod reservation;

use super::met_duplicate_synack;
use crate::{
    synack::SynAckKind,
    timeline::{Coverage, Earlier, Timeline},
};
use model::{
    errno::errno_text,
    flow,
    human::Elapsed,
    outcome::Outcome,
    verdict::{Judgement, Proof, Verdict},
};

/// The sentence for a judgement on a probe.
pub(super) fn render(timeline: &Timeline, judgement: Judgement) -> String {
    let remote = flow::remote(&timeline.probe.flow);
    let mut text = match judgement.verdict {
        // Its sentence includes the reservation.
        Verdict::Clean => return clean(timeline, judgement.proof),
        Verdict::AckLeaked => format!(
            "{} left for {remote} before our RST. The handshake was complete, so the application there \
             may have accepted a connection that was reset at once.",
            match timeline.acks_leaked() {
                1 => "An ACK of ours".to_owned(),
                n => format!("{n} ACKs of ours"),
            }
        ),
        Verdict::LocalDrop => cause::local_drop(timeline),
        Verdict::ChallengeAck => cause::challenge_ack(timeline),
        Verdict::TargetReset => cause::target_reset(timeline),
        Verdict::SimultaneousOpen => format!(
            "{remote} answered our SYN with a SYN of its own, not with a SYN-ACK (simultaneous open): another \
             client there connects to us from that port. No server answered."
        ),
        Verdict::RstLostSynackRetransmit => lost::recovered(timeline, judgement.proof),
        Verdict::RstLostPortReuse => lost::port_reuse(timeline, judgement.proof),
        Verdict::RstLostUnrecovered => lost::unrecovered(timeline, judgement.proof),
        Verdict::StaleSynRecvChallengeAck => format!(
            "Our SYN met a stale connection that the server still held in SYN_RECV{}. The server answered \
             with a challenge ACK. Our kernel replied with a RST{}.",
            left_by(timeline),
            then_retransmitted(timeline)
        ),
        Verdict::StaleSynRecvReset => format!(
            "The refusal was false: our SYN met a stale connection that the server still held in \
             SYN_RECV{}, and the RST was meant for that connection.{}",
            left_by(timeline),
            confirmation(timeline)
        ),
        Verdict::LateSynack => late_synack(timeline),
        Verdict::SynRetransmitted => syn_retransmitted(timeline),
        Verdict::Refused => format!(
            "{remote} refused the connection after {}.{}",
            Elapsed(timeline.probe.closed_at().saturating_sub(timeline.probe.syn_at())),
            confirmation(timeline)
        ),
        Verdict::TimedOut => match timeline.probe.kernel {
            Some(kernel) if kernel.established_at != 0 => format!(
                "The SYN-ACK of {remote} arrived {} after our SYN, when the probe had already timed out.",
                Elapsed(kernel.established_at.saturating_sub(kernel.syn_sent_at))
            ),
            _ => no_answer(timeline),
        },
        Verdict::Unreachable => cause::unreachable(timeline),
        Verdict::LocalError => format!("This host could not run the probe: {}.", error(timeline)),
    };
    text.push_str(&reservation::render(timeline, judgement));
    text
}

fn clean(timeline: &Timeline, proof: Proof) -> String {
    let what = format!("Answered in {} and reset", answered(timeline).unwrap_or_default());
    let rest = match (proof, timeline.coverage) {
        (Proof::Confirmed, _) if timeline.rst_was_dropped() => {
            "our RST was dropped on its way, and yet the server held no half-open connection: it keeps no state \
             of handshakes (SYN cookies), or gave it up at once"
        }
        (Proof::Confirmed, _) if timeline.reused_cleanly => {
            "a later SYN from the same port found no stale connection, so the server dropped the half-open \
             connection"
        }
        (Proof::Confirmed, _) => {
            "no SYN-ACK came again within the server's timer, so it dropped the half-open connection"
        }
        (Proof::Unknown, Coverage::None) => {
            "without kernel tracing, the agent cannot know whether the server received the RST"
        }
        (Proof::Unknown, _) => "kernel events were lost, so the agent cannot know more",
        (Proof::Inferred, Coverage::SocketsOnly) => {
            "it is inferred that the server dropped the half-open connection: this kernel does not show \
             whether the server retransmitted its SYN-ACK"
        }
        (Proof::Inferred, Coverage::Incomplete) => {
            "it is inferred that the server dropped the half-open connection: not all kernel hooks are \
             attached"
        }
        (Proof::Inferred, _) if timeline.reuse_in_doubt => {
            "it is inferred that the server dropped the half-open connection: a later probe from the same port was \
             refused, perhaps by that connection, and no confirmation probe decided"
        }
        (Proof::Inferred, _) if timeline.late_segments().next().is_some() => {
            "a further segment of this connection arrived later and was reset, so it is not known when the \
             server dropped the connection"
        }
        (Proof::Inferred, _) if timeline.late_rsts().next().is_some() => {
            "a second copy of the SYN-ACK arrived later and was reset too. The server sent it before our \
             RST could arrive, so it does not show that the RST was lost"
        }
        (Proof::Inferred, Coverage::Full | Coverage::EventsLost)
            if timeline.probe.kernel.is_some_and(|k| k.rst_sent_at == 0) =>
        {
            "this is inferred: no hook saw the kernel send the RST"
        }
        (Proof::Inferred, _) if timeline.probe.has_no_window() => {
            "the SYN-ACK offered a receive window of 0, as that of a SYN proxy does. A proxy or firewall may \
             have answered in the server's place, so it is not known whether the server runs"
        }
        (Proof::Inferred, _) if timeline.reused_cleanly => {
            "it is inferred that the server dropped the half-open connection: a later probe from the same \
             port found no stale connection"
        }
        (Proof::Inferred, _) => {
            "it is inferred that the server dropped the half-open connection: nothing arrived after the \
             RST, but the probe was not followed for long enough to be sure (a server retransmits its \
             SYN-ACK after 1 s)"
        }
    };
    format!("{what}; {rest}.")
}

fn late_synack(timeline: &Timeline) -> String {
    if let Some(at) = timeline.late_rsts().next() {
        return format!(
            "The target's SYN-ACK arrived {} after the probe had timed out. The target is up, but its \
             answer was late, or was lost at first.",
            Elapsed(at.saturating_sub(timeline.probe.ended_at))
        );
    }
    let probe = timeline.earlier.and_then(|e| Some((e.id?, e.ended_at))).map_or_else(
        || "an earlier probe".to_owned(),
        |(id, ended_at)| {
            let before = timeline.probe.syn_at().saturating_sub(ended_at);
            format!("probe {id}, which had timed out {} earlier", Elapsed(before))
        },
    );
    format!(
        "Our SYN met what the server still held for {probe}. The server had received that probe's SYN, but \
         its SYN-ACK was late or lost. Our kernel replied with a RST{}.",
        then_retransmitted(timeline)
    )
}

fn syn_retransmitted(timeline: &Timeline) -> String {
    let n = timeline.syn_retransmits();
    let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let took = answered(timeline).map_or_else(String::new, |t| format!(" The handshake took {t}."));
    if met_duplicate_synack(timeline) {
        let id = timeline.earlier.and_then(|e| e.id).map_or_else(String::new, |id| id.to_string());
        return format!(
            "A second copy of the SYN-ACK for probe {id} arrived after our SYN. Our kernel reset it, and the \
             SYN had to be retransmitted.{took} That copy was already in flight when probe {id} ended: it \
             does not mean that a RST was lost."
        );
    }
    let blamed = cause::of_retransmit(timeline);
    let copy = timeline.probe.rst_at().is_some()
        && timeline.late_rsts().any(|at| timeline.synack_kind(at) == SynAckKind::Duplicate);
    let copy = if copy {
        " A second copy of the SYN-ACK arrived after the close and was reset: it does not mean that our RST \
         was lost."
    } else {
        ""
    };
    format!("The SYN was retransmitted {times}: {blamed}.{took}{copy}")
}

/// Which probe left the stale connection, as part of a sentence.
fn left_by(timeline: &Timeline) -> String {
    match timeline.earlier {
        Some(Earlier { id: Some(id), ended_at, other_port, .. }) => format!(
            ", left by probe {id}, which had ended {} earlier{}",
            Elapsed(timeline.probe.syn_at().saturating_sub(ended_at)),
            other_port.map_or_else(String::new, |port| format!(
                " on our port {port} (an address translation on the way gave both the same port)"
            ))
        ),
        Some(Earlier { id: None, .. }) => ", left by an earlier user of this port".to_owned(),
        None => String::new(),
    }
}

/// What followed a stale reply: the end of one sentence, and perhaps another.
pub(super) fn then_retransmitted(timeline: &Timeline) -> String {
    let retransmitted =
        if timeline.syn_retransmits() > 0 { " and retransmitted the SYN" } else { "" };
    let took = answered(timeline).map_or_else(String::new, |took| {
        format!(". The handshake took {took} instead of one round trip")
    });
    format!("{retransmitted}{took}")
}

fn confirmation(timeline: &Timeline) -> String {
    timeline.confirmation.map_or_else(String::new, |probe| {
        if probe.local_port == 0 {
            return " No confirmation probe could be sent: this host had no socket or port for it."
                .to_owned();
        }
        let port = if probe.local_port == timeline.probe.flow.local_port {
            "the same port".to_owned()
        } else {
            format!("port {}", probe.local_port)
        };
        format!(
            " A confirmation probe from {port} {}.",
            match probe.outcome {
                Outcome::Alive => "was answered",
                Outcome::Refused => "was refused too",
                Outcome::TimedOut => "was not answered in time",
                Outcome::Unreachable => "could not reach the target",
                Outcome::LocalError => "could not be run on this host",
            }
        )
    })
}

fn no_answer(timeline: &Timeline) -> String {
    format!(
        "No SYN-ACK from {} reached our socket within {} of our SYN.",
        flow::remote(&timeline.probe.flow),
        Elapsed(timeline.probe.ended_at.saturating_sub(timeline.probe.syn_at()))
    ) + &timeline.answered_from_elsewhere().map_or_else(String::new, |from| {
        format!(
            " A SYN-ACK that acknowledges our SYN came from {from} instead, and our kernel reset it: an address \
             translation on the path works one way only."
        )
    })
}

/// How long the handshake took.
pub(super) fn answered(timeline: &Timeline) -> Option<String> {
    timeline.probe.handshake_ns().map(|ns| Elapsed(ns).to_string())
}

/// The C library's description of the errno.
pub(super) fn error(timeline: &Timeline) -> String {
    errno_text(timeline.probe.errno).to_lowercase()
}
