//! No sentence, piece of evidence, step or advice says more than the events show.
//!
//! Checked over every case and over random worlds, from the events alone and without the rules: a
//! `confirmed` verdict needs an event that proves it, and words that make a claim need what they claim.

use super::{
    cases,
    scenario::Scenario,
    world::{Losses, World},
};
use crate::{ExplainedProbe, Judged, explain, timeline::Timeline};
use model::{
    event::{EventKind, TcpState},
    expect::Expect,
    outcome::Outcome,
    packet_drop::DropPlace,
    step::StepKind,
    verdict::{Proof, Verdict},
};

/// Whether an event of the probe is of such a kind.
fn any(timeline: &Timeline, wanted: impl Fn(&EventKind) -> bool) -> bool {
    timeline.events.iter().any(|event| wanted(&event.kind))
}

/// Whether the kernel sent a RST in answer to a segment with these properties.
fn answered(timeline: &Timeline, state: Option<TcpState>, is_synack: bool) -> bool {
    any(timeline, |kind| match kind {
        EventKind::RstSent { socket, answers: Some(segment), .. } => {
            *socket == state && segment.flags.is_synack() == is_synack
        }
        _ => false,
    })
}

fn dropped(timeline: &Timeline, place: DropPlace) -> bool {
    any(timeline, |kind| matches!(kind, EventKind::PacketDropped(drop) if drop.place == place))
}

/// Whether an observation proves the verdict.
fn is_observed(timeline: &Timeline, verdict: Verdict) -> bool {
    let probe = &timeline.probe;
    let syn_sent = Some(TcpState::SynSent);
    match verdict {
        Verdict::AckLeaked => probe.kernel.is_some_and(|k| k.segments_out > 1),
        Verdict::LocalDrop => {
            dropped(timeline, DropPlace::OurNetns)
                || any(timeline, |k| matches!(k, EventKind::SynRetransmit { error: -1 }))
        }
        Verdict::RstLostSynackRetransmit => answered(timeline, None, true),
        Verdict::RstLostPortReuse => timeline.later.is_some(),
        Verdict::RstLostUnrecovered => {
            timeline.later.is_some()
                || answered(timeline, None, true)
                || dropped(timeline, DropPlace::OurNetns)
                || dropped(timeline, DropPlace::OtherNetns)
                || any(timeline, |k| matches!(k, EventKind::SynAckRetransmit { .. }))
        }
        Verdict::StaleSynRecvChallengeAck | Verdict::LateSynack => {
            answered(timeline, syn_sent, true)
                || answered(timeline, syn_sent, false)
                || answered(timeline, None, true)
        }
        Verdict::ChallengeAck => answered(timeline, syn_sent, false),
        Verdict::StaleSynRecvReset => {
            timeline.confirmation.is_some_and(|probe| probe.outcome == Outcome::Alive)
        }
        Verdict::TargetReset => {
            any(timeline, |k| *k == EventKind::RstReceived)
                || any(
                    timeline,
                    |k| matches!(k, EventKind::PacketDropped(d) if !d.outgoing && d.segment.flags.is_rst()),
                )
        }
        Verdict::SimultaneousOpen => any(timeline, |k| matches!(k, EventKind::StateChange { .. })),
        Verdict::SynRetransmitted => any(timeline, EventKind::is_syn_retransmit),
        Verdict::Refused => any(timeline, |k| *k == EventKind::RstReceived),
        Verdict::TimedOut => probe.kernel.is_some(),
        Verdict::Unreachable | Verdict::LocalError => probe.errno != 0,
        Verdict::Clean => {
            probe.kernel.is_some_and(|k| k.rst_sent_at != 0 && k.established_at != 0)
                && !answered(timeline, None, true)
                && !dropped(timeline, DropPlace::OurNetns)
                && !any(timeline, |k| matches!(k, EventKind::SynAckRetransmit { .. }))
        }
    }
}

/// What words claim, and whether it is so.
fn contradiction(probe: &ExplainedProbe) -> Option<String> {
    let timeline = &probe.timeline;
    let sent_rst = timeline.probe.rst_at().is_some();
    let claims = [
        ("after our RST", sent_rst),
        ("received our RST", sent_rst),
        ("This host dropped", dropped(timeline, DropPlace::OurNetns)),
        ("another network namespace of this host", dropped(timeline, DropPlace::OtherNetns)),
        (
            "tcp_retransmit_synack",
            any(timeline, |k| matches!(k, EventKind::SynAckRetransmit { .. })),
        ),
        (
            "the server received the SYN",
            any(timeline, |k| matches!(k, EventKind::SynAckRetransmit { .. })),
        ),
        ("simultaneous open", any(timeline, |k| matches!(k, EventKind::StateChange { .. }))),
        ("The target's SYN-ACK arrived", answered(timeline, None, true)),
    ];
    for finding in &probe.findings {
        let (verdict, proof) = (finding.verdict, finding.proof);
        if proof == Proof::Confirmed && !is_observed(timeline, verdict) {
            return Some(format!("{verdict:?} is confirmed, and no event shows it"));
        }
        let certain = ["cannot have received", "did not receive our RST"];
        if proof != Proof::Confirmed && finding.sentence.contains(certain[0]) {
            return Some(format!("{verdict:?} is not confirmed: {}", finding.sentence));
        }
        let texts = finding.evidence.iter().map(|evidence| &evidence.text);
        for text in texts.chain([&finding.sentence]).chain(finding.advice.as_ref()) {
            let false_claim = claims.iter().find(|(words, is_so)| !is_so && text.contains(words));
            if let Some((words, _)) = false_claim {
                return Some(format!("'{words}' is not so: {text}"));
            }
        }
    }
    let advice: Vec<_> = probe.findings.iter().filter_map(|f| f.advice.as_ref()).collect();
    if advice.iter().enumerate().any(|(at, text)| advice[..at].contains(text)) {
        return Some(format!("the same advice twice: {advice:?}"));
    }
    let sends_rst = |kind| probe.steps.iter().any(|step| step.kind == kind);
    (sends_rst(StepKind::Rst) != sent_rst).then(|| "the steps and the record disagree".to_owned())
}

#[test]
fn no_case_claims_what_no_event_shows() {
    for (name, text) in cases() {
        for probe in Scenario::run(&text).expect("a case").probes {
            let found = contradiction(&probe);
            assert_eq!(found, None, "{name}, probe {}: {probe:#?}", probe.timeline.probe.id);
        }
    }
}

#[test]
fn no_world_leads_to_a_claim_that_no_event_shows() {
    let losses = Losses { syn: 10, syn_ack: 15, first_rst: 20, recovery_rst: 30, event: 0 };
    let mut confirmed = 0;
    for seed in 0..150 {
        let one_way = [35_000, 5_000_000, 150_000_000, 700_000_000][seed as usize % 4];
        for timeline in World::run(seed, one_way, losses).out {
            let probe = explain(Judged::new(timeline, Expect::Open));
            confirmed += probe.findings.iter().filter(|f| f.proof == Proof::Confirmed).count();
            assert_eq!(contradiction(&probe), None, "seed {seed}: {probe:#?}");
        }
    }
    assert!(confirmed > 1_000, "only {confirmed} claims were checked");
}
