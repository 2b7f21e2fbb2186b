//! Sentences about a lost RST. No hook sees the loss itself: it is concluded, and the sentences say so.

use super::{
    super::view::{View, is_certain},
    times,
};
use crate::drops;
use model::{
    claim::{Act, Answers, Owner},
    human::Elapsed,
    record::ProbeId,
};

/// How a server's connection outlived our RST.
struct Held {
    lasted: u64,
    met_by: Option<ProbeId>,
}

/// The three verdicts on a lost RST.
pub(super) fn render(view: View<'_>) -> String {
    let certain = view.claim(|act| *act == Act::MissedRst).is_some_and(is_certain);
    let known = known(view, certain);
    let held = view.find(|claim| match claim.act {
        Act::Held { of: Owner::ThisProbe, lasted: Some(lasted), met_by } => {
            Some(Held { lasted, met_by })
        }
        _ => None,
    });
    let ended = view.has(|act| *act == Act::HoldsNothing);
    match held {
        Some(Held { lasted, met_by: Some(id) }) => format!(
            "The server {known}: it {} the connection in SYN_RECV {} later, when the SYN of probe {id} arrived \
             from the same port{}. {}",
            if certain { "still held" } else { "seems to have held" },
            Elapsed(lasted),
            view.shared_port().map_or_else(String::new, |port| format!(
                " (it left from our port {port}: an address translation on the way gave both the same port)"
            )),
            if ended {
                "That cleared the stale connection."
            } else {
                "That probe got no answer, so the stale connection may still be there."
            }
        ),
        Some(Held { lasted, met_by: None }) => retransmitted(view, &known, certain, lasted, ended),
        None => format!("The server {known}. {}", nothing_more(view)),
    }
}

/// Path A, recovered or not.
fn retransmitted(view: View<'_>, known: &str, certain: bool, lasted: u64, ended: bool) -> String {
    let again = view.find(|claim| match claim.act {
        Act::RetransmittedSynAck { times, answers, .. } => Some((times, answers)),
        _ => None,
    });
    let (n, answers) = again.unwrap_or((1, Answers::NotAll));
    if ended {
        let times = if n == 1 { String::new() } else { format!(" {n} times") };
        let lasted = Elapsed(lasted);
        return if certain {
            format!(
                "The server {known}: it stayed in SYN_RECV for {lasted}, retransmitted its SYN-ACK{times} and was \
                 then reset{}.",
                afterwards(view)
            )
        } else {
            format!(
                "The server {known}: its SYN-ACK came again{times}, {lasted} after our RST, and was reset."
            )
        };
    }
    let rest = match answers {
        Answers::LastDropped => "The RST that answered the last one was dropped, too.",
        Answers::All => {
            "Our kernel answered with a RST each time, but the agent cannot know whether the last one arrived."
        }
        Answers::NotAll if n == 1 => "No RST was seen to answer it.",
        Answers::NotAll => "Not each of them was seen to be answered with a RST.",
    };
    format!(
        "The server {known}: it retransmitted its SYN-ACK {}{} {} after our RST. {rest}",
        times(n),
        if n == 1 { "," } else { ", the last time" },
        Elapsed(lasted)
    )
}

fn nothing_more(view: View<'_>) -> &'static str {
    if view.has(|act| *act == Act::RefusedLaterSyn) {
        "A later probe from the same port was refused, perhaps by the half-open connection, which is gone \
         then."
    } else {
        "Nothing was seen of it afterwards, so the half-open connection may still be there."
    }
}

/// What shows that the reset worked.
fn afterwards(view: View<'_>) -> String {
    let seen = view.find(|claim| match claim.act {
        Act::ReceivedNoCopy { within } => {
            Some(format!(": no SYN-ACK came again in the {} after that", Elapsed(within)))
        }
        Act::AnsweredLaterSyn => {
            Some(": a later SYN from the same port found no stale connection".to_owned())
        }
        _ => None,
    });
    seen.unwrap_or_default()
}

/// What is known of the RST's way.
fn known(view: View<'_>, certain: bool) -> String {
    match view.dropped_close() {
        Some(packet) => {
            format!("did not receive our RST, which {} dropped", drops::place(&packet))
        }
        None if certain => "cannot have received our RST".to_owned(),
        None => "may not have received our RST".to_owned(),
    }
}
