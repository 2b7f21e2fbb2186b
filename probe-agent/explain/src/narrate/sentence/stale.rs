//! Sentences about a reply that belongs to another SYN.

use super::{
    super::view::{View, address, is_certain},
    confirmation,
};
use model::{
    claim::{Act, Claim, Owner},
    human::Elapsed,
};

/// Path B, on the later probe.
pub(super) fn challenged(view: View<'_>) -> String {
    format!(
        "Our SYN {} a stale connection that the server still held in SYN_RECV{}. The server {} with a challenge \
         ACK. Our kernel {} with a RST{}.",
        certainly(view.claim(|act| matches!(act, Act::Held { .. })), "met", "must have met"),
        left_by(view),
        certainly(
            view.claim(|act| matches!(act, Act::AnsweredAnotherSyn { .. })),
            "answered",
            "must have answered"
        ),
        replied(view),
        then_retransmitted(view)
    )
}

/// Path C.
pub(super) fn falsely_refused(view: View<'_>) -> String {
    format!(
        "The refusal was false: our SYN {} a stale connection that the server still held in SYN_RECV{}, and the \
         RST was meant for that connection.{}",
        certainly(view.claim(|act| matches!(act, Act::Held { .. })), "met", "must have met"),
        left_by(view),
        confirmation(view)
    )
}

/// A connection that no probe of this run left, or the SYN-ACK for somebody else's SYN.
pub(super) fn foreign(view: View<'_>) -> String {
    let Some((remote, is_synack, n)) = view.find(|claim| match claim.act {
        Act::AnsweredAnotherSyn { is_synack, times } => Some((address(claim)?, is_synack, times)),
        _ => None,
    }) else {
        return String::new();
    };
    let (replied, then) = (replied(view), then_retransmitted(view));
    if is_synack == Some(true) {
        return format!(
            "A SYN-ACK of {remote} that does not acknowledge our SYN reached our probe. Our kernel {replied} \
             with a RST{then}. No probe that was still being followed had sent the SYN that it acknowledges."
        );
    }
    let end = if n > 1 {
        "A further reply of that connection came, so the RST did not end it at once."
    } else if view.has(|act| *act == Act::StillHolds) {
        "That RST was dropped, so the connection is still there."
    } else {
        "If that RST arrived, it ended the connection."
    };
    format!(
        "Our SYN {} a connection that {remote} still holds with this port, in whatever state: half-open, \
         established, closing. No probe that was still being followed had left it. {remote} {} with a \
         challenge ACK; our kernel {replied} with a RST{then}. {end}",
        certainly(view.claim(|act| matches!(act, Act::Held { .. })), "met", "must have met"),
        if is_synack.is_some() { "answered" } else { "must have answered" },
    )
}

/// A SYN-ACK that came when its probe had timed out.
pub(super) fn late_synack(view: View<'_>) -> String {
    let late = view.find(|claim| match claim.act {
        Act::AnsweredLate { after } => Some(after),
        _ => None,
    });
    if let Some(after) = late {
        return format!(
            "The target's SYN-ACK arrived {} after the probe had timed out. So the target is up, but its \
             answer was late, or was lost at first.",
            Elapsed(after)
        );
    }
    let of = view.find(|claim| match claim.act {
        Act::AnsweredEarlierSyn { of: Owner::Probe { id, before } } => {
            Some(format!("probe {id}, which had timed out {} earlier", Elapsed(before)))
        }
        _ => None,
    });
    format!(
        "Our SYN met what the server still held for {}. The server had received that probe's SYN, but its \
         SYN-ACK was late or lost. Our kernel {} with a RST{}.",
        of.unwrap_or_else(|| "an earlier probe".to_owned()),
        replied(view),
        then_retransmitted(view)
    )
}

/// Whose connection it was, as part of a sentence.
fn left_by(view: View<'_>) -> String {
    let port = view.shared_port().map_or_else(String::new, |port| {
        format!(" on our port {port} (an address translation on the way gave both the same port)")
    });
    view.find(|claim| match claim.act {
        Act::Held { of: Owner::Probe { id, before }, .. } => {
            let before = Elapsed(before);
            Some(format!(", left by probe {id}, which had ended {before} earlier{port}"))
        }
        Act::Held { of: Owner::Unknown, .. } => {
            Some(", left by an earlier user of this port".to_owned())
        }
        _ => None,
    })
    .unwrap_or_default()
}

fn replied(view: View<'_>) -> &'static str {
    certainly(view.claim(|act| *act == Act::AnsweredWithRst), "replied", "must have replied")
}

/// What followed a stale reply: the end of one sentence, and perhaps another.
fn then_retransmitted(view: View<'_>) -> String {
    let again = view.has(|act| matches!(act, Act::RetransmittedSyn { .. }));
    let retransmitted = if again { " and retransmitted the SYN" } else { "" };
    let took = view.answered().map_or_else(String::new, |after| {
        format!(". The handshake took {} instead of one round trip", Elapsed(after))
    });
    format!("{retransmitted}{took}")
}

/// The words for what was seen, or for what is concluded with a reservation.
fn certainly(claim: Option<&Claim>, seen: &'static str, concluded: &'static str) -> &'static str {
    if claim.is_some_and(is_certain) { seen } else { concluded }
}
