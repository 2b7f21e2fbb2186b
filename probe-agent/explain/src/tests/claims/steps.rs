//! No step of the ladder shows what neither an observation nor a claim has.

use crate::ExplainedProbe;
use model::{
    claim::{Act, Claim, Observation},
    event::{Event, EventKind},
    step::{Certainty, Step, StepKind},
};

/// A step that shows more.
pub(super) fn unfounded(probe: &ExplainedProbe) -> Option<String> {
    let claims: Vec<&Claim> = probe.findings.iter().flat_map(|f| &f.claims).collect();
    let wrong = probe.steps.iter().find(|step| !is_founded(probe, &claims, step))?;
    Some(format!("nothing shows this step: {wrong:?}"))
}

fn is_founded(probe: &ExplainedProbe, claims: &[&Claim], step: &Step) -> bool {
    let record = &probe.timeline.probe;
    let events = &probe.timeline.events;
    let has = |wanted: &dyn Fn(&Event) -> bool| events.iter().any(|e| e.at == step.at && wanted(e));
    let claimed = |wanted: &dyn Fn(&Act) -> bool| claims.iter().any(|claim| wanted(&claim.act));
    // What a claim states about the event at this time.
    let claimed_here = |wanted: &dyn Fn(&Act) -> bool| {
        claims.iter().any(|claim| {
            let here = |o: &Observation| matches!(o, Observation::Event(e) if e.at == step.at);
            wanted(&claim.act) && claim.basis.observations().iter().any(here)
        })
    };
    let is_lost = step.certainty == Certainty::Lost;
    let is_traced = record.kernel.is_some_and(|k| k.syn_sent_at != 0);
    match step.kind {
        StepKind::Syn => step.at == record.syn_at() && (is_traced || !is_seen(step)),
        StepKind::Rst => {
            let is_missed = |act: &Act| matches!(act, Act::MissedRst | Act::DroppedClose { .. });
            record.rst_at() == Some(step.at) && is_lost == claimed(&is_missed)
        }
        StepKind::SynAck => {
            let accepted = record.handshake_ns().map(|ns| record.syn_at() + ns);
            accepted == Some(step.at)
                || has(&|e| {
                    matches!(
                        e.kind,
                        EventKind::SynAckFromElsewhere { .. }
                            | EventKind::RstSent { socket: Some(_), .. }
                    )
                })
        }
        StepKind::SynAckRetransmit => {
            let is_again = |act: &Act| matches!(act, Act::RetransmittedSynAck { .. });
            let note_is_claimed = (!step.note.contains("retransmit timer")
                || claimed_here(&is_again))
                && (!step.note.contains("second copy")
                    || claimed_here(&|act| matches!(act, Act::SentCopy { .. })));
            let is_event = has(&|e| match e.kind {
                EventKind::SynAckRetransmit { .. } => is_seen(step),
                EventKind::RstSent { socket: None, .. } => !is_seen(step),
                _ => false,
            });
            is_event && note_is_claimed
        }
        StepKind::ChallengeAck => {
            has(&|e| e.kind.answers_stale_reply())
                || claimed(&|act| matches!(act, Act::Held { met_by: Some(_), .. }))
        }
        StepKind::RecoveryRst => {
            let is_event = has(&|e| matches!(e.kind, EventKind::RstSent { .. }));
            let again = |act: &Act| matches!(act, Act::RetransmittedSynAck { times: 2.., .. });
            is_event && (!is_lost || claimed_here(&again))
        }
        StepKind::RstReceived => {
            has(&|e| e.kind == EventKind::RstReceived) || (record.errno != 0 && !is_seen(step))
        }
        StepKind::SynRetransmit => has(&|e| e.kind.is_syn_retransmit()),
        StepKind::StateChange => has(&|e| matches!(e.kind, EventKind::StateChange { .. })),
        StepKind::AckHeldBack => has(&|e| e.kind == EventKind::AckHeldBack),
        StepKind::SegmentRetransmit => {
            has(&|e| matches!(e.kind, EventKind::SegmentRetransmit { .. }))
        }
        StepKind::PacketDropped => has(&|e| matches!(e.kind, EventKind::PacketDropped(_))),
        StepKind::TimedOut => step.at == record.ended_at,
        StepKind::Error => record.errno != 0,
    }
}

fn is_seen(step: &Step) -> bool {
    step.certainty == Certainty::Seen
}
