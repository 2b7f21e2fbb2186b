//! Sentences about what this host did itself.

use super::super::view::View;
use crate::drops::{meaning, subject};
use model::{
    claim::{Act, Party},
    errno::errno_text,
};

/// A packet that this host dropped, or refused to send.
pub(super) fn local_drop(view: View<'_>) -> String {
    let dropped = view.find(|claim| match (claim.party, claim.act) {
        (Party::ThisHost, Act::Dropped { packet, times }) => Some((packet, times)),
        _ => None,
    });
    let Some((packet, times)) = dropped else {
        return "This host refused to send our SYN: a packet filter rule dropped it (EPERM)."
            .to_owned();
    };
    let times = if times == 1 { String::new() } else { format!(" {times} times") };
    let refused = if view.has(|act| *act == Act::RefusedItself) {
        ". The refusal came from this host, too"
    } else {
        ""
    };
    let consequence = if view.has(|act| *act == Act::SentNoSyn) {
        ". No SYN left this host, so the target did not take part"
    } else {
        ""
    };
    format!(
        "This host dropped {}{times}: {}{refused}{consequence}.",
        subject(&packet),
        meaning(&packet)
    )
}

/// ACKs that left.
pub(super) fn leaked_ack(view: View<'_>) -> String {
    let leaked = view.find(|claim| match claim.act {
        Act::LeakedAck { count, then_reset, .. } => Some((count, then_reset)),
        _ => None,
    });
    let (count, then_reset) = leaked.unwrap_or((1, true));
    let (acks, it) = match count {
        1 => ("An ACK of ours".to_owned(), "it"),
        n => (format!("{n} ACKs of ours"), "one of them"),
    };
    let to = view.target;
    if then_reset {
        format!(
            "{acks} left for {to} before our RST. If {it} arrived, the handshake was complete, and the application \
             there may have accepted a connection that was reset at once."
        )
    } else {
        format!(
            "{acks} left for {to}. If {it} arrived, the handshake was complete, and the application there may have \
             accepted a connection."
        )
    }
}

/// This host could not run the probe.
pub(super) fn local_error(view: View<'_>) -> String {
    let errno = view.find(|claim| match claim.act {
        Act::FailedToRun { errno, .. } => Some(errno),
        _ => None,
    });
    let error = errno.map_or_else(String::new, |errno| errno_text(errno).to_lowercase());
    format!("This host could not run the probe: {error}.")
}
