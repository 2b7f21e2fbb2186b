//! The steps of the exchange, from the slot's record and the kernel events.

use crate::{events, timeline::Timeline};
use model::{
    errno::errno_text,
    flow,
    human::Elapsed,
    outcome::Outcome,
    record::Closing,
    step::{Certainty, Direction, Step, StepKind},
};

/// The steps of a probe, in time order.
pub(crate) fn steps(timeline: &Timeline) -> Vec<Step> {
    let mut steps = own_steps(timeline);
    for event in &timeline.events {
        events::push_steps(timeline, event, &mut steps);
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
        let lost = timeline.later.is_some()
            || timeline.recoveries().next().is_some()
            || timeline.rst_was_dropped();
        steps.push(if lost {
            let note = "lost: left the server in SYN_RECV".to_owned();
            Step { certainty: Certainty::Lost, note, ..rst }
        } else {
            rst
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
    if let Some(later) = timeline.later {
        let note = format!("probe {} reused the port and met the stale connection", later.id);
        let met = Step::seen(later.at, StepKind::ChallengeAck, note, "");
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
