//! No words without what they need: checked on the text, from the events alone and without the claims.

use crate::{ExplainedProbe, timeline::Timeline};
use model::{
    event::{EventKind, TcpState},
    packet_drop::DropPlace,
    step::StepKind,
    verdict::Proof,
};

/// Whether an event of the probe is of such a kind.
pub(super) fn any(timeline: &Timeline, wanted: impl Fn(&EventKind) -> bool) -> bool {
    timeline.events.iter().any(|event| wanted(&event.kind))
}

/// Whether the kernel sent a RST in answer to a segment with these properties.
pub(super) fn answered(timeline: &Timeline, state: Option<TcpState>, is_synack: bool) -> bool {
    any(timeline, |kind| match kind {
        EventKind::RstSent { socket, answers: Some(segment), .. } => {
            *socket == state && segment.flags.is_synack() == is_synack
        }
        _ => false,
    })
}

pub(super) fn dropped(timeline: &Timeline, place: DropPlace) -> bool {
    any(timeline, |kind| matches!(kind, EventKind::PacketDropped(drop) if drop.place == place))
}

/// What words claim, and whether it is so.
pub(super) fn contradiction(probe: &ExplainedProbe) -> Option<String> {
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
