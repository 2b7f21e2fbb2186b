//! Tells a verdict to a person: the sentence, the evidence, the advice.

mod advice;
mod evidence;

use super::{
    duration::Human,
    finding::Finding,
    rules,
    verdict::{Judgement, Proof, Verdict},
};
use crate::{
    correlate::timeline::{Coverage, Timeline},
    probe::{
        flow,
        outcome::{Outcome, errno_text},
        record::ProbeId,
    },
};

/// A judgement in words.
#[must_use]
pub fn finding(timeline: &Timeline, judgement: Judgement) -> Finding {
    let Judgement { verdict, proof } = judgement;
    Finding {
        verdict,
        proof,
        sentence: sentence(timeline, judgement),
        evidence: evidence::of(timeline, verdict),
        advice: advice::of(timeline, verdict),
        link: link(timeline, verdict),
    }
}

/// The other probe that a verdict is about.
fn link(timeline: &Timeline, verdict: Verdict) -> Option<ProbeId> {
    match verdict {
        Verdict::RstLostPortReuse | Verdict::RstLostUnrecovered => timeline.later.map(|l| l.id),
        Verdict::StaleSynRecvChallengeAck | Verdict::StaleSynRecvReset | Verdict::LateSynack => {
            timeline.earlier.and_then(|e| e.id)
        }
        Verdict::RstLostSynackRetransmit
        | Verdict::SynRetransmitted
        | Verdict::Refused
        | Verdict::TimedOut
        | Verdict::Unreachable
        | Verdict::LocalError
        | Verdict::Clean => None,
    }
}

/// What happened, for a tired on-call engineer.
fn sentence(timeline: &Timeline, judgement: Judgement) -> String {
    let probe = &timeline.probe;
    let remote = flow::remote(&probe.flow);
    let answered = probe.handshake_ns().map(|ns| Human(ns).to_string()).unwrap_or_default();
    let late: Vec<u64> = timeline.late_rsts().collect();
    let since_rst = |at: u64| Human(at.saturating_sub(probe.rst_at().unwrap_or(probe.ended_at)));
    match judgement.verdict {
        Verdict::Clean => clean(timeline, judgement.proof, &answered),
        Verdict::RstLostSynackRetransmit => {
            let last = late.last().copied().unwrap_or_default();
            let asked = match late.len() {
                1 => "asked again".to_owned(),
                n => format!("asked {n} times more"),
            };
            format!(
                "The server did not get our RST and kept the connection in SYN_RECV for {}, then \
                 {asked} and was reset.",
                since_rst(last)
            )
        }
        Verdict::RstLostPortReuse => match timeline.later {
            Some(later) => format!(
                "The server did not get our RST and was still in SYN_RECV {} later, when probe {} \
                 used the same port; that one reset it.",
                since_rst(later.at),
                later.id
            ),
            None => "The server did not get our RST; a later probe from the same port reset it."
                .to_owned(),
        },
        Verdict::RstLostUnrecovered => {
            let sent = 1 + late.len();
            let plural = if sent == 1 { "RST" } else { "RSTs" };
            format!(
                "The server did not get our RST and had not let go of the connection after {}; {sent} \
                 {plural} sent so far.",
                since_rst(timeline.followed_until)
            )
        }
        Verdict::StaleSynRecvChallengeAck => format!(
            "Our SYN met a connection that the server still held in SYN_RECV{}; it answered with a \
             challenge ACK, our kernel reset that, and the SYN had to be sent again{}.",
            whose(timeline),
            if answered.is_empty() {
                String::new()
            } else {
                format!(": {answered} in place of one round trip")
            }
        ),
        Verdict::StaleSynRecvReset => format!(
            "The refusal was false: our SYN met a connection that the server still held in \
             SYN_RECV{}, and the RST was for that one. {}",
            whose(timeline),
            second_opinion(timeline)
        ),
        Verdict::LateSynack if late.is_empty() => format!(
            "Our SYN met the SYN-ACK that the server still owed to {}, which had timed out; our kernel \
             reset that, and the SYN had to be sent again.",
            timeline
                .earlier
                .and_then(|e| e.id)
                .map_or("an earlier probe".to_owned(), |id| format!("probe {id}"))
        ),
        Verdict::LateSynack => format!(
            "The target's SYN-ACK came {} after the probe had given up: the target is up, but its \
             answer was late or lost at first.",
            Human(late[0].saturating_sub(probe.ended_at))
        ),
        Verdict::SynRetransmitted => {
            let n = timeline.syn_retransmits();
            let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
            let end = if answered.is_empty() {
                ".".to_owned()
            } else {
                format!(", and the handshake took {answered}.")
            };
            format!(
                "The SYN was sent again {times}: it, or its answer, was lost on the way or dropped{end}"
            )
        }
        Verdict::Refused => format!(
            "{remote} refused the connection after {}{}.{}",
            Human(probe.closed_at().saturating_sub(probe.syn_at())),
            if rules::refused_by_icmp(timeline) {
                ": by ICMP (port unreachable), no RST came"
            } else {
                ""
            },
            if timeline.confirmation.is_some() {
                format!(" {}", second_opinion(timeline))
            } else {
                String::new()
            }
        ),
        Verdict::TimedOut => format!(
            "{remote} did not answer within {}.",
            Human(probe.ended_at.saturating_sub(probe.syn_at()))
        ),
        Verdict::Unreachable => format!("{remote} cannot be reached: {}.", error(timeline)),
        Verdict::LocalError => format!("This host could not run the probe: {}.", error(timeline)),
    }
}

fn clean(timeline: &Timeline, proof: Proof, answered: &str) -> String {
    let what = format!("Answered in {answered} and reset");
    match (timeline.coverage, proof) {
        (_, Proof::Confirmed) => format!("{what}; the server let go."),
        (Coverage::None, Proof::Unknown) => {
            format!("{what}; without kernel tracing nobody knows whether the server got the RST.")
        }
        (_, Proof::Unknown) => format!("{what}; kernel events were lost, so more cannot be said."),
        (_, Proof::Inferred) if timeline.reused_cleanly => {
            format!("{what}; a later probe from the same port found nothing left over.")
        }
        (_, Proof::Inferred) => format!(
            "{what}; nothing came after it, but it was followed for too short a time to be sure \
             (a server asks again after 1 s)."
        ),
    }
}

/// Whose leftover it was, as part of a sentence.
fn whose(timeline: &Timeline) -> String {
    match timeline.earlier {
        Some(earlier) => match earlier.id {
            Some(id) => format!(
                ", left by probe {id} {} before",
                Human(timeline.probe.syn_at().saturating_sub(earlier.ended_at))
            ),
            None => ", left by something that used this port before this run".to_owned(),
        },
        None => String::new(),
    }
}

fn second_opinion(timeline: &Timeline) -> String {
    timeline.confirmation.map_or_else(String::new, |second| {
        format!(
            "A second probe, from port {}, was {}.",
            second.local_port,
            match second.outcome {
                Outcome::Alive => "answered",
                Outcome::Refused => "refused as well",
                Outcome::TimedOut => "not answered",
                Outcome::Unreachable => "told that it is unreachable",
                Outcome::LocalError => "impossible on this host",
            }
        )
    })
}

/// The C library's words for the errno.
fn error(timeline: &Timeline) -> String {
    errno_text(timeline.probe.errno).to_lowercase()
}
