//! The steps of the exchange, from the slot's record and the kernel events.

use crate::{drops, events, timeline::Timeline};
use model::{
    claim::{Act, Claim},
    errno::errno_text,
    flow,
    human::Elapsed,
    outcome::Outcome,
    record::Closing,
    step::{Certainty, Direction, Step, StepKind},
};

/// The steps of a probe, in time order. What is not an observation is taken from the claims of its verdicts.
pub(crate) fn steps(timeline: &Timeline, claims: &[Claim]) -> Vec<Step> {
    let mut steps = own_steps(timeline, claims);
    for event in &timeline.events {
        events::push_steps(timeline, claims, event, &mut steps);
    }
    // Several steps may have the same time; the stable sort keeps them in causal order.
    steps.sort_by_key(|s| s.at);
    steps
}

/// SYN, answer and RST, from the slot's record or, without one, from userspace times.
fn own_steps(timeline: &Timeline, claims: &[Claim]) -> Vec<Step> {
    let probe = &timeline.probe;
    let traced = probe.kernel.is_some_and(|k| k.syn_sent_at != 0);
    let recorded = |at, kind, note, hook| Step {
        certainty: if traced { Certainty::Seen } else { Certainty::Concluded },
        ..Step::seen(at, kind, note, if traced { hook } else { "" })
    };
    let error = |at| Step::seen(at, StepKind::Error, errno_text(probe.errno).to_owned(), "");
    if probe.outcome == Outcome::LocalError && !traced {
        return vec![error(probe.started_at)];
    }
    let state_hook = probe.state_hook.name();
    let mut steps =
        vec![recorded(probe.syn_at(), StepKind::Syn, redirection(timeline), state_hook)];
    if let Some(handshake) = probe.handshake_ns() {
        let note = format!("handshake answered in {}", Elapsed(handshake));
        steps.push(recorded(probe.syn_at() + handshake, StepKind::SynAck, note, state_hook));
    }
    if let Some(at) = probe.rst_at() {
        let rst = recorded(at, StepKind::Rst, String::new(), probe.close_hook());
        steps.push(match fate(claims) {
            Some(note) => Step { certainty: Certainty::Lost, note, ..rst },
            None => rst,
        });
    }
    match probe.outcome {
        Outcome::Alive if probe.errno != 0 && timeline.rst_received_at().is_none() => {
            steps.push(error(probe.ended_at));
        }
        Outcome::Alive | Outcome::Refused => {}
        Outcome::TimedOut => {
            let note = match probe.closing {
                Closing::Silent => "the agent stopped waiting; closing in SYN_SENT sends no RST",
                Closing::Reset | Closing::ByKernel => "the kernel gave up",
            };
            steps.push(Step::seen(probe.ended_at, StepKind::TimedOut, note.to_owned(), ""));
        }
        Outcome::Unreachable | Outcome::LocalError => steps.push(error(probe.ended_at)),
    }
    if probe.outcome == Outcome::Refused && !traced {
        let note = "connection refused".to_owned();
        steps.push(recorded(probe.answered_at, StepKind::RstReceived, note, ""));
    }
    let met = |claim: &Claim| match claim.act {
        Act::Held { met_by: Some(id), lasted: Some(lasted), .. } => Some((id, lasted)),
        _ => None,
    };
    if let (Some((id, lasted)), Some(rst)) = (claims.iter().find_map(met), probe.rst_at()) {
        let note = format!("probe {id} reused the port and met the stale connection");
        let met = Step::seen(rst + lasted, StepKind::ChallengeAck, note, "");
        steps.push(Step { direction: Direction::Here, ..met });
    }
    steps
}

/// Where the SYN went, if not to the address that was asked for.
fn redirection(timeline: &Timeline) -> String {
    timeline.probe.redirected_from.map_or_else(String::new, |asked| {
        format!("to {} in place of {asked}", flow::remote(&timeline.probe.flow))
    })
}

/// What became of the RST of the close, if the claims say that it did not arrive.
fn fate(claims: &[Claim]) -> Option<String> {
    let missed = claims.iter().find(|claim| claim.act == Act::MissedRst);
    let dropped = claims.iter().find_map(|claim| match claim.act {
        Act::DroppedClose { packet } => Some(packet),
        _ => None,
    });
    match (missed, dropped) {
        (Some(claim), None) if claim.doubt().is_some() => {
            Some("perhaps lost: it may have left the server in SYN_RECV".to_owned())
        }
        (Some(_), _) => Some("lost: left the server in SYN_RECV".to_owned()),
        (None, Some(packet)) => Some(format!("dropped by {}", drops::place(&packet))),
        (None, None) => None,
    }
}
