//! Sentences about a SYN that was sent again, and one that got no answer.

use super::{
    super::view::{View, address},
    times, took,
};
use crate::drops::{meaning, place, subject};
use model::{
    claim::{Act, Owner, Party},
    human::Elapsed,
};

/// Where nothing shows more.
const LOST: &str = "the SYN or its answer was lost, delayed or dropped";

/// The SYN was sent again.
pub(super) fn syn_retransmitted(view: View<'_>) -> String {
    let n = view.find(|claim| match claim.act {
        Act::RetransmittedSyn { times } => Some(times),
        _ => None,
    });
    let took = took(view);
    let met = view.find(|claim| match claim.act {
        Act::AnsweredEarlierSyn { of: Owner::Probe { id, .. } } => Some(id),
        _ => None,
    });
    if let Some(id) = met {
        return format!(
            "A further SYN-ACK for probe {id} arrived after our SYN. Our kernel reset it, and the SYN had to be \
             retransmitted.{took} That SYN-ACK may have been in flight already when probe {id} ended, or comes \
             from another server: it does not mean that a RST was lost."
        );
    }
    let copy = if view.has(|act| *act == Act::SentCopy { has_arrived: true }) {
        " A second copy of the SYN-ACK arrived after the close and was reset: it may have left before our RST \
         could arrive, so it does not mean that our RST was lost."
    } else if view.has(|act| *act == Act::SentOtherSynAck) {
        " A SYN-ACK with another sequence number arrived after the close and was reset: it does not mean that our \
         RST was lost."
    } else {
        ""
    };
    format!("The SYN was retransmitted {}: {}.{took}{copy}", times(n.unwrap_or(1)), cause(view))
}

/// Why it was sent again.
fn cause(view: View<'_>) -> String {
    let cause = view.find(|claim| match claim.act {
        Act::Dropped { packet, .. } => Some(format!(
            "{} dropped {}, because {}",
            place(&packet),
            subject(&packet),
            meaning(&packet)
        )),
        Act::SentUnacceptable { after } => Some(format!(
            "after {}, long before the usual timer of 1 s. Either an answer came that our kernel did not \
             accept, or this host's timer is shorter",
            Elapsed(after)
        )),
        Act::HasShortTimer { after, round_trip } => Some(format!(
            "after {}, before an answer could come: the round trip is {}. This host's timer is shorter than the \
             usual 1 s, or something nearer than the target answered and our kernel did not accept it",
            Elapsed(after),
            Elapsed(round_trip)
        )),
        Act::TookLong { round_trip } => Some(format!(
            "{LOST}; or nothing was lost, and the round trip is {}, longer than the SYN's timer of 1 s",
            Elapsed(round_trip)
        )),
        Act::Answered { .. } => match claim.party {
            Party::Other(from) => {
                Some(format!("{from} answered it in the target's place, and our kernel reset that"))
            }
            _ => None,
        },
        Act::KeptSynOnLoopback => {
            Some("it went to this host's loopback interface, which leads nowhere else".to_owned())
        }
        Act::LostSynOrAnswer if view.has(|act| matches!(act, Act::AsksForEcn(_))) => Some(format!(
            "{LOST}. The SYN asked for ECN, which some devices drop, and the one that was answered did not"
        )),
        Act::LostSynOrAnswer => Some(LOST.to_owned()),
        Act::ReceivedSyn => Some(
            "the server received the SYN, and its SYN-ACK was lost, delayed or dropped on the way back"
                .to_owned(),
        ),
        _ => None,
    });
    cause.unwrap_or_else(|| LOST.to_owned())
}

/// No SYN-ACK reached the socket in time.
pub(super) fn timed_out(view: View<'_>) -> String {
    let late = view.find(|claim| match (claim.party, claim.act) {
        (Party::Target(remote), Act::Answered { after }) => Some((remote, after)),
        _ => None,
    });
    if let Some((remote, after)) = late {
        return format!(
            "The SYN-ACK of {remote} arrived {} after our SYN, when the probe had already timed out.",
            Elapsed(after)
        );
    }
    let within = view.find(|claim| match claim.act {
        Act::ReceivedNothing { within } => Some(within),
        _ => None,
    });
    let elsewhere = view.find(|claim| match (claim.party, claim.act) {
        (Party::Other(_), Act::Answered { .. }) => address(claim),
        _ => None,
    });
    format!(
        "No SYN-ACK from {} reached our socket within {} of our SYN.",
        view.target,
        Elapsed(within.unwrap_or_default())
    ) + &elsewhere.map_or_else(String::new, |from| {
        format!(
            " A SYN-ACK that acknowledges our SYN came from {from} instead, and our kernel reset it. So an \
             address translation on the path works one way only."
        )
    })
}
