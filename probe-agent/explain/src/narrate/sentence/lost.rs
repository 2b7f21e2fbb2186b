//! Sentences about a lost RST. No hook sees the loss itself: it is concluded, and the sentences say so.

use crate::timeline::{Later, Timeline};
use model::human::Elapsed;

/// Path A.
pub(super) fn recovered(timeline: &Timeline) -> String {
    let recoveries: Vec<u64> = timeline.recoveries().collect();
    let times = match recoveries.len() {
        0 | 1 => String::new(),
        n => format!(" {n} times"),
    };
    format!(
        "The server cannot have received our RST: it stayed in SYN_RECV for {}, retransmitted its \
         SYN-ACK{times} and was then reset.",
        since_rst(timeline, recoveries.last().copied().unwrap_or_default())
    )
}

/// Path B.
pub(super) fn port_reuse(timeline: &Timeline) -> String {
    let Some(Later { id, at, .. }) = timeline.later else {
        return "The server cannot have received our RST: a later probe from the same port met the stale \
                connection."
            .to_owned();
    };
    format!(
        "The server cannot have received our RST: it still held the connection in SYN_RECV {} later, when \
         the SYN of probe {id} arrived from the same port. That cleared the stale connection.",
        since_rst(timeline, at)
    )
}

/// Neither recovery was seen.
pub(super) fn unrecovered(timeline: &Timeline) -> String {
    if let Some(Later { id, at, .. }) = timeline.later {
        return format!(
            "The server cannot have received our RST: it still held the connection in SYN_RECV {} later, \
             when the SYN of probe {id} arrived from the same port. That probe got no answer, so the stale \
             connection may still be there.",
            since_rst(timeline, at)
        );
    }
    let recoveries: Vec<u64> = timeline.recoveries().collect();
    format!(
        "The server cannot have received our RST: it retransmitted its SYN-ACK {} times, the last time {} \
         after our RST. Our kernel answered each with a RST, but the agent cannot know whether the last of \
         these arrived.",
        recoveries.len(),
        since_rst(timeline, recoveries.last().copied().unwrap_or_default())
    )
}

fn since_rst(timeline: &Timeline, at: u64) -> Elapsed {
    let probe = &timeline.probe;
    Elapsed(at.saturating_sub(probe.rst_at().unwrap_or(probe.ended_at)))
}
