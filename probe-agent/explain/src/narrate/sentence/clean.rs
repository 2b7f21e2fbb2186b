//! The sentence of `clean`: what was seen of the close, and what follows from it.

use std::{borrow::Cow, fmt::Write};

use super::super::view::{View, is_certain};
use crate::drops;
use model::{
    claim::{Act, Assumption, Claim, Reason},
    human::Elapsed,
};

/// Most sentences are not longer.
const LENGTH: usize = 400;

/// The conclusion, where something is left to doubt.
const INFERRED: &str = "It is inferred that the server holds no half-open connection any more";

/// The sentences, in the order of time.
pub(super) fn render(view: View<'_>) -> String {
    let after = Elapsed(view.answered().unwrap_or_default());
    let mut text = String::with_capacity(LENGTH);
    // A string takes whatever is written to it.
    let _ = write!(text, "Answered in {after} and {}", close(view));
    if let Some(drop) = view.dropped_close() {
        let _ = write!(text, "; our RST was dropped on its way, in {}", drops::place(&drop));
    }
    text += ".";
    let seen = [copy(view), other_synack(view), segment(view), no_window(view), afterwards(view)];
    for sentence in seen.into_iter().flatten() {
        text += " ";
        text += &sentence;
    }
    if let Some(claim) = view.claim(|act| *act == Act::HoldsNothing) {
        text += " ";
        text += &conclusion(view, claim);
    }
    text
}

fn close(view: View<'_>) -> &'static str {
    match view.claim(|act| *act == Act::SentRst) {
        Some(claim) if is_certain(claim) => "reset",
        _ => "closed, which makes the kernel send a RST",
    }
}

fn copy(view: View<'_>) -> Option<Cow<'static, str>> {
    let has = |wanted: bool| view.has(|act| *act == Act::SentCopy { has_arrived: wanted });
    if !has(true) && has(false) {
        return Some("The server sent a second copy of its SYN-ACK, which did not arrive.".into());
    }
    has(true).then(|| {
        "A second copy of the SYN-ACK arrived later and was reset too. It may have left the server before our RST \
         could arrive, so it does not show that the RST was lost."
            .into()
    })
}

fn other_synack(view: View<'_>) -> Option<Cow<'static, str>> {
    view.has(|act| *act == Act::SentOtherSynAck).then(|| {
        "A SYN-ACK for our SYN with another sequence number arrived later and was reset. It comes from another \
         server, or from one that keeps no state, and shows nothing about our RST."
            .into()
    })
}

fn segment(view: View<'_>) -> Option<Cow<'static, str>> {
    view.find(|claim| match claim.act {
        Act::SentSegment { flags } => Some(
            format!("A further segment of this connection ({flags}) arrived later and was reset.")
                .into(),
        ),
        _ => None,
    })
}

fn no_window(view: View<'_>) -> Option<Cow<'static, str>> {
    view.has(|act| *act == Act::OfferedNoWindow)
        .then(|| "The SYN-ACK offered a receive window of 0, as that of a SYN proxy does.".into())
}

/// What was seen after the close.
fn afterwards(view: View<'_>) -> Option<Cow<'static, str>> {
    view.find(|claim| match claim.act {
        Act::AnsweredLaterSyn => {
            Some("A later SYN from the same port found no stale connection.".into())
        }
        Act::RefusedLaterSyn => Some("A later SYN from the same port was refused.".into()),
        Act::ReceivedNoCopy { within } => Some(
            format!(
                "No SYN-ACK of this handshake came again in the {} that the probe was followed.",
                Elapsed(within)
            )
            .into(),
        ),
        _ => None,
    })
}

/// What follows for the server, and what would have to be so.
fn conclusion(view: View<'_>, claim: &Claim) -> Cow<'static, str> {
    let why = match claim.basis.assumption() {
        None | Some(Assumption::Arrival) => {
            return "So the server holds no half-open connection any more.".into();
        }
        Some(Assumption::SynAckAgain) if view.dropped_close().is_some() => {
            return "So the server keeps no state of handshakes (SYN cookies), or gave this one up at once; \
                    unless its timer is longer, or its SYN-ACKs do not reach this host."
                .into();
        }
        Some(Assumption::SynAckAgain) => {
            return "A server that missed the RST would have sent its SYN-ACK again (after 1 s by default), so \
                    whoever answered holds no half-open connection any more, unless its timer is longer or its \
                    SYN-ACKs are dropped on the way."
                .into();
        }
        Some(Assumption::NotShown(reason)) => reason,
    };
    let because = match why {
        Reason::EventsLost => {
            return "Kernel events were lost, so the agent cannot know more.".into();
        }
        Reason::NoTracing => {
            return "Without kernel tracing, the agent cannot know whether the server received the RST."
                .into();
        }
        Reason::Proxy => {
            return "A proxy or firewall may have answered in the server's place, so it is not known whether \
                    the server runs."
                .into();
        }
        Reason::FurtherSegment => {
            return "So it is not known when the server dropped the connection.".into();
        }
        Reason::OtherSynAck => "it is not known which server received our RST",
        Reason::SecondCopy => "it is not known which of our RSTs the server received",
        Reason::SocketlessRsts => {
            "this kernel does not show whether the server retransmitted its SYN-ACK"
        }
        Reason::HooksMissing => "not all kernel hooks are attached",
        Reason::DoubtfulReuse => {
            "that refusal may have come from this connection, and no confirmation probe decided"
        }
        Reason::CloseNotSeen => "no hook saw the kernel send the RST",
        Reason::NotFollowed => {
            "the probe was not followed for long enough to be sure (a server that misses the RST sends its \
             SYN-ACK again, after 1 s by default)"
        }
        Reason::NoEvent
        | Reason::MayHaveCrossed
        | Reason::NumbersNotRead
        | Reason::ReplyNotRead
        | Reason::UnknownSyn
        | Reason::UnknownOwner
        | Reason::MayBeStale
        | Reason::ErrnoOnly
        | Reason::Contradicted { .. }
        | Reason::EarlierProbe { .. }
        | Reason::Undecided => "no kernel event shows it",
    };
    format!("{INFERRED}: {because}.").into()
}
