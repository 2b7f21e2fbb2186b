//! What happened, in a sentence or two, made from claims alone.
//!
//! What was seen is stated. A conclusion is worded as one (`so`, `cannot have`, `must have`, `if`), and a verdict
//! that is not confirmed says what its proof lacks.

mod answer;
mod clean;
mod here;
mod lost;
mod reservation;
mod retransmit;
mod stale;

use super::view::View;
use crate::claims::main_claim;
use model::{
    claim::{Act, Claim},
    human::Elapsed,
    outcome::Outcome,
    verdict::Verdict,
};

/// The sentence of a verdict.
pub(super) fn render(verdict: Verdict, view: View<'_>) -> String {
    let mut text = match verdict {
        // Its sentence includes the reservation.
        Verdict::Clean => return clean::render(view) + &translated(view),
        Verdict::AckLeaked => here::leaked_ack(view),
        Verdict::LocalDrop => here::local_drop(view),
        Verdict::LocalError => here::local_error(view),
        Verdict::ChallengeAck => stale::foreign(view),
        Verdict::StaleSynRecvChallengeAck => stale::challenged(view),
        Verdict::StaleSynRecvReset => stale::falsely_refused(view),
        Verdict::LateSynack => stale::late_synack(view),
        Verdict::TargetReset => answer::target_reset(view),
        Verdict::SimultaneousOpen => answer::simultaneous_open(view),
        Verdict::Refused => answer::refused(view),
        Verdict::Unreachable => answer::unreachable(view),
        Verdict::RstLostSynackRetransmit
        | Verdict::RstLostPortReuse
        | Verdict::RstLostUnrecovered => lost::render(view),
        Verdict::SynRetransmitted => retransmit::syn_retransmitted(view),
        Verdict::TimedOut => retransmit::timed_out(view),
    };
    if let Some(reason) = main_claim(verdict, view.claims).and_then(Claim::doubt) {
        text.push_str(&reservation::render(reason));
    }
    text + &translated(view)
}

/// Who answers, or does not, if this host translates the target's address.
fn translated(view: View<'_>) -> String {
    view.find(|claim| match claim.act {
        Act::Translates { real, is_here } => Some(format!(
            " This host translates the target's address: it sends the SYN to {real}{}, and the verdict is about \
             that.",
            if is_here { ", on this host" } else { "" }
        )),
        _ => None,
    })
    .unwrap_or_default()
}

/// What the confirmation probe met.
fn confirmation(view: View<'_>) -> String {
    let met = view.find(|claim| match claim.act {
        Act::MetConfirmation { port, outcome } => Some((port, outcome)),
        _ => None,
    });
    let Some((port, outcome)) = met else { return String::new() };
    if port == 0 {
        return " No confirmation probe could be sent: this host had no socket or port for it."
            .to_owned();
    }
    let end = match outcome {
        Outcome::Alive => "was answered",
        Outcome::Refused => "was refused too",
        Outcome::TimedOut => "was not answered in time",
        Outcome::Unreachable => "could not reach the target",
        Outcome::LocalError => "could not be run on this host",
    };
    format!(" A confirmation probe from {} {end}.", same_or(port, view.local_port))
}

/// A port, where it is not that of the probe itself.
fn same_or(port: u16, own: u16) -> String {
    if port == own { "the same port".to_owned() } else { format!("port {port}") }
}

/// How long the handshake took, as a sentence of its own.
fn took(view: View<'_>) -> String {
    view.answered()
        .map_or_else(String::new, |after| format!(" The handshake took {}.", Elapsed(after)))
}

/// Once, or so many times.
fn times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}
