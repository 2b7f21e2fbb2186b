//! A RST that was lost, and how that came out. The loss itself is nowhere seen: it is concluded.

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
        "The server cannot have got our RST: it kept the connection in SYN_RECV for {}, sent its \
         SYN-ACK again{times} and was reset then.",
        since_rst(timeline, recoveries.last().copied().unwrap_or_default())
    )
}

/// Path B.
pub(super) fn port_reuse(timeline: &Timeline) -> String {
    let Some(Later { id, at, .. }) = timeline.later else {
        return "The server cannot have got our RST: a later probe from the same port met it."
            .to_owned();
    };
    format!(
        "The server cannot have got our RST: it still held the connection in SYN_RECV {} later, when \
         the SYN of probe {id} from the same port met it. That cleared it.",
        since_rst(timeline, at)
    )
}

/// Neither, or not yet.
pub(super) fn unrecovered(timeline: &Timeline) -> String {
    if let Some(Later { id, at, .. }) = timeline.later {
        return format!(
            "The server cannot have got our RST: it still held the connection in SYN_RECV {} later, \
             when the SYN of probe {id} from the same port met it. That probe was not answered, so the \
             connection may still be there.",
            since_rst(timeline, at)
        );
    }
    let recoveries: Vec<u64> = timeline.recoveries().collect();
    format!(
        "The server cannot have got our RST: it sent its SYN-ACK again {} times, the last {} after our \
         RST. Each was answered with a RST; whether the last of them arrived is not known.",
        recoveries.len(),
        since_rst(timeline, recoveries.last().copied().unwrap_or_default())
    )
}

fn since_rst(timeline: &Timeline, at: u64) -> Elapsed {
    let probe = &timeline.probe;
    Elapsed(at.saturating_sub(probe.rst_at().unwrap_or(probe.ended_at)))
}
