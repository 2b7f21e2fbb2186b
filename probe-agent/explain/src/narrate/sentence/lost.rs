//! Sentences about a lost RST. No hook sees the loss itself: it is concluded, and the sentences say so.

use crate::{
    drops,
    timeline::{Later, Timeline},
};
use model::{human::Elapsed, verdict::Proof};

/// Path A.
pub(super) fn recovered(timeline: &Timeline, proof: Proof) -> String {
    let recoveries: Vec<u64> = timeline.recoveries().collect();
    let times = match recoveries.len() {
        0 | 1 => String::new(),
        n => format!(" {n} times"),
    };
    let known = known(timeline, proof);
    format!(
        "The server {known}: it stayed in SYN_RECV for {}, retransmitted its SYN-ACK{times} and was \
         then reset.",
        since_rst(timeline, recoveries.last().copied().unwrap_or_default())
    )
}

/// Path B.
pub(super) fn port_reuse(timeline: &Timeline, proof: Proof) -> String {
    let known = known(timeline, proof);
    let Some(Later { id, at, other_port, .. }) = timeline.later else {
        return format!(
            "The server {known}: a later probe from the same port met the stale connection."
        );
    };
    format!(
        "The server {known}: it still held the connection in SYN_RECV {} later, when \
         the SYN of probe {id} arrived from the same port{}. That cleared the stale connection.",
        since_rst(timeline, at),
        translated(other_port)
    )
}

/// Neither recovery was seen.
pub(super) fn unrecovered(timeline: &Timeline, proof: Proof) -> String {
    let known = known(timeline, proof);
    if let Some(Later { id, at, other_port, .. }) = timeline.later {
        return format!(
            "The server {known}: it still held the connection in SYN_RECV {} later, when the SYN of probe {id} arrived from the same port{}. That probe got no answer, so the stale \
             connection may still be there.",
            since_rst(timeline, at),
            translated(other_port)
        );
    }
    let recoveries: Vec<u64> = timeline.recoveries().collect();
    let n = recoveries.len();
    if n == 0 && timeline.reuse_in_doubt {
        return format!(
            "The server {known}. A later probe from the same port was refused, perhaps by the half-open \
             connection; the server drops one that it resets."
        );
    }
    if n == 0 {
        return format!(
            "The server {known}. Nothing was seen of it afterwards, so the half-open connection may \
             still be there."
        );
    }
    let times = if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let answers = timeline.retransmitted_synacks().filter(|late| late.is_answered).count();
    let last = recoveries.last().copied().unwrap_or_default();
    let rest = if timeline.answer_was_dropped(last) {
        "The RST that answered the last of these was dropped, too."
    } else if answers == n {
        "Our kernel answered each with a RST, but the agent cannot know whether the last of these arrived."
    } else {
        "Not every one of them reached our kernel, and those that did not were answered by no RST."
    };
    format!(
        "The server {known}: it retransmitted its SYN-ACK {times}, the last time {} after our RST. \
         {rest}",
        since_rst(timeline, recoveries.last().copied().unwrap_or_default())
    )
}

/// Why a probe from another port of ours came from the same one for the server.
fn translated(other_port: Option<u16>) -> String {
    other_port.map_or_else(String::new, |port| {
        format!(" (it left from our port {port}: an address translation on the way gave both the same port)")
    })
}

/// What is known of the RST's way.
fn known(timeline: &Timeline, proof: Proof) -> String {
    let dropped =
        timeline.drops().find(|drop| drop.packet.outgoing && drop.packet.segment.flags.is_rst());
    match (dropped, proof) {
        (Some(drop), _) => {
            format!("did not receive our RST, which {} dropped", drops::place(&drop.packet))
        }
        (None, Proof::Confirmed) => "cannot have received our RST".to_owned(),
        (None, Proof::Inferred | Proof::Unknown) => "may not have received our RST".to_owned(),
    }
}

fn since_rst(timeline: &Timeline, at: u64) -> Elapsed {
    let probe = &timeline.probe;
    Elapsed(at.saturating_sub(probe.rst_at().unwrap_or(probe.ended_at)))
}
