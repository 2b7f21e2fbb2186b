//! What happened, in a sentence or two for a tired on-call engineer.
//!
//! What was concluded is told as concluded, and a proof that falls short says what it lacks.

mod lost;
mod reservation;

use super::met_duplicate_synack;
use crate::{
    synack::SynAckKind,
    timeline::{Coverage, Earlier, Timeline},
};
use model::errno::errno_text;
use model::{
    flow,
    human::Elapsed,
    outcome::Outcome,
    verdict::{Judgement, Proof, Verdict},
};

/// The sentence for a judgement on a probe.
pub(super) fn render(timeline: &Timeline, judgement: Judgement) -> String {
    let remote = flow::remote(&timeline.probe.flow);
    let mut text = match judgement.verdict {
        // Says itself how sure it is.
        Verdict::Clean => return clean(timeline, judgement.proof),
        Verdict::AckLeaked => format!(
            "{} left for {remote} before our RST: the handshake was complete, and the application \
             there may have accepted a connection that was dead at once.",
            match timeline.acks_leaked() {
                1 => "An ACK of ours".to_owned(),
                n => format!("{n} ACKs of ours"),
            }
        ),
        Verdict::RstLostSynackRetransmit => lost::recovered(timeline),
        Verdict::RstLostPortReuse => lost::port_reuse(timeline),
        Verdict::RstLostUnrecovered => lost::unrecovered(timeline),
        Verdict::StaleSynRecvChallengeAck => format!(
            "Our SYN met a connection that the server still held in SYN_RECV{}. The server answered \
             with a challenge ACK, which our kernel reset{}.",
            left_by(timeline),
            then_retransmitted(timeline)
        ),
        Verdict::StaleSynRecvReset => format!(
            "The refusal was false: our SYN met a connection that the server still held in \
             SYN_RECV{}, and the RST was for that one.{}",
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
        Verdict::TimedOut if timeline.probe.kernel.is_some_and(|k| k.established_at != 0) => {
            format!(
                "{remote} sent its SYN-ACK {} after our SYN, when the probe's time was over.",
                answered(timeline).unwrap_or_default()
            )
        }
        Verdict::TimedOut => match timeline.probe.kernel {
            Some(kernel) if kernel.established_at != 0 => format!(
                "{remote} sent its SYN-ACK {} after our SYN, when the probe's time was over.",
                Elapsed(kernel.established_at.saturating_sub(kernel.syn_sent_at))
            ),
            _ => no_answer(timeline),
        },
        Verdict::Unreachable => format!("{remote} cannot be reached: {}.", error(timeline)),
        Verdict::LocalError => format!("This host could not run the probe: {}.", error(timeline)),
    };
    text.push_str(&reservation::render(timeline, judgement));
    text
}

fn clean(timeline: &Timeline, proof: Proof) -> String {
    let what = format!("Answered in {} and reset", answered(timeline).unwrap_or_default());
    let rest = match (proof, timeline.coverage) {
        (Proof::Confirmed, _) => "the server let go",
        (Proof::Unknown, Coverage::None) => {
            "without kernel tracing nobody knows whether the server got the RST"
        }
        (Proof::Unknown, _) => "kernel events were lost, so more cannot be said",
        (Proof::Inferred, Coverage::SocketsOnly) => {
            "that the server let go is inferred: this kernel does not show whether it asked again"
        }
        (Proof::Inferred, _) if timeline.late_rsts().next().is_some() => {
            "a second copy of the SYN-ACK came after that and was reset as well. It was sent before \
             our RST could arrive, so no loss is inferred from it"
        }
        (Proof::Inferred, Coverage::Full | Coverage::EventsLost)
            if timeline.probe.kernel.is_some_and(|k| k.rst_sent_at == 0) =>
        {
            "that is inferred: the kernel was not seen sending the RST"
        }
        (Proof::Inferred, _) if timeline.reused_cleanly => {
            "that the server let go is inferred: a later probe from the same port found nothing \
             left over"
        }
        (Proof::Inferred, _) => {
            "that the server let go is inferred: nothing came after it, but it was followed for too \
             short a time to be sure (a server asks again after 1 s)"
        }
    };
    format!("{what}; {rest}.")
}

fn late_synack(timeline: &Timeline) -> String {
    if let Some(at) = timeline.late_rsts().next() {
        return format!(
            "The target's SYN-ACK came {} after the probe had given up: the target is up, but its \
             answer was late, or lost at first.",
            Elapsed(at.saturating_sub(timeline.probe.ended_at))
        );
    }
    let probe = timeline.earlier.and_then(|e| Some((e.id?, e.ended_at))).map_or_else(
        || "an earlier probe".to_owned(),
        |(id, ended_at)| {
            let before = timeline.probe.syn_at().saturating_sub(ended_at);
            format!("probe {id}, which had timed out {} before", Elapsed(before))
        },
    );
    format!(
        "Our SYN met what the server still kept for {probe}: the server had got that SYN, and its \
         SYN-ACK was late or lost. Our kernel reset it{}.",
        then_retransmitted(timeline)
    )
}

fn syn_retransmitted(timeline: &Timeline) -> String {
    let n = timeline.syn_retransmits();
    let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let took = answered(timeline).map_or_else(String::new, |t| format!("; the handshake took {t}"));
    if met_duplicate_synack(timeline) {
        let id = timeline.earlier.and_then(|e| e.id).map_or_else(String::new, |id| id.to_string());
        return format!(
            "Our SYN met a second copy of the SYN-ACK for probe {id}, which our kernel reset; the SYN \
             had to be sent again{took}. That copy was on its way before probe {id} ended: it does not \
             mean that a RST was lost."
        );
    }
    let copy = timeline.probe.rst_at().is_some()
        && timeline.late_rsts().any(|at| timeline.synack_kind(at) == SynAckKind::Duplicate);
    let copy = if copy {
        " A second copy of the SYN-ACK came after the close and was reset: it does not mean that our \
         RST was lost."
    } else {
        ""
    };
    format!(
        "The SYN was sent again {times}: it, or its answer, was lost, delayed or dropped{took}.{copy}"
    )
}

/// Whose leftover it was, as part of a sentence.
fn left_by(timeline: &Timeline) -> String {
    match timeline.earlier {
        Some(Earlier { id: Some(id), ended_at, .. }) => format!(
            ", left by probe {id}, which had ended {} before",
            Elapsed(timeline.probe.syn_at().saturating_sub(ended_at))
        ),
        Some(Earlier { id: None, .. }) => ", left by an earlier user of this port".to_owned(),
        None => String::new(),
    }
}

/// What became of a SYN that met something, as part of a sentence.
fn then_retransmitted(timeline: &Timeline) -> String {
    match (timeline.syn_retransmits(), answered(timeline)) {
        (0, None) => String::new(),
        (0, Some(took)) => format!("; the handshake took {took} in place of one round trip"),
        (_, None) => ", and sent the SYN again".to_owned(),
        (_, Some(took)) => {
            format!(", and sent the SYN again: {took} in place of one round trip")
        }
    }
}

fn confirmation(timeline: &Timeline) -> String {
    timeline.confirmation.map_or_else(String::new, |probe| {
        format!(
            " A second probe, from port {}, {}.",
            probe.local_port,
            match probe.outcome {
                Outcome::Alive => "was answered",
                Outcome::Refused => "was refused as well",
                Outcome::TimedOut => "was not answered in time",
                Outcome::Unreachable => "could not reach the target",
                Outcome::LocalError => "could not be run on this host",
            }
        )
    })
}

fn no_answer(timeline: &Timeline) -> String {
    format!(
        "{} sent no SYN-ACK for our SYN within {}.",
        flow::remote(&timeline.probe.flow),
        Elapsed(timeline.probe.ended_at.saturating_sub(timeline.probe.syn_at()))
    )
}

/// How long the handshake took.
fn answered(timeline: &Timeline) -> Option<String> {
    timeline.probe.handshake_ns().map(|ns| Elapsed(ns).to_string())
}

/// The C library's words for the errno.
fn error(timeline: &Timeline) -> String {
    errno_text(timeline.probe.errno).to_lowercase()
}
