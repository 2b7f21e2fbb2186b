//! What the proof of a verdict lacks: a further sentence.

use model::{claim::Reason, human::Elapsed};

/// Why the verdict is not confirmed.
pub(super) fn render(reason: Reason) -> String {
    let why = match reason {
        Reason::EventsLost => {
            return " Kernel events were lost in the meantime, so this is not proved.".to_owned();
        }
        Reason::Undecided => return " So the refusal remains unconfirmed.".to_owned(),
        Reason::ErrnoOnly => {
            return " This is inferred from the socket's error: no hook saw the RST.".to_owned();
        }
        Reason::Contradicted { after, is_icmp } => {
            let why = if is_icmp {
                "another path leads to the target, or to a device that answers in its place"
            } else {
                "two hosts answer for this address, or a firewall answered in the target's place"
            };
            let after = Elapsed(after);
            return format!(" But a SYN-ACK for the same SYN came {after} after it: {why}.");
        }
        Reason::EarlierProbe { id, before } => {
            return format!(
                " It may be false: probe {id} used the same port {} earlier, and its RST may have been lost. \
                 No confirmation probe decided.",
                Elapsed(before)
            );
        }
        Reason::NoTracing => "nothing was traced",
        Reason::NoEvent => "no kernel event shows it",
        Reason::HooksMissing => "not all kernel hooks are attached",
        Reason::SocketlessRsts => "RSTs that no socket sends are not reported on this host",
        Reason::NotFollowed => {
            "the probe was not followed for long enough to see whether the last RST arrived"
        }
        Reason::MayHaveCrossed => {
            "judging by the round trip, that SYN-ACK could have left before our RST arrived"
        }
        Reason::NumbersNotRead => {
            "the sequence numbers of the reply do not show it, or were not read"
        }
        Reason::ReplyNotRead => "the reply's header was not read, and it may be a late SYN-ACK",
        Reason::UnknownSyn => "it is not known whose SYN the reply acknowledges",
        Reason::UnknownOwner => "no known earlier probe left it",
        Reason::MayBeStale => {
            "our SYN had also met a stale connection, and the late segment may be another answer from that"
        }
        Reason::CloseNotSeen => "no hook saw the kernel send the RST",
        Reason::SecondCopy => "it is not known which of our RSTs the server received",
        Reason::OtherSynAck => "it is not known which server received our RST",
        Reason::FurtherSegment => "it is not known when the server dropped the connection",
        Reason::Proxy => "a proxy may have answered in the server's place",
        Reason::DoubtfulReuse => {
            "a later probe from the same port was refused, perhaps by that connection, and no confirmation \
             probe decided"
        }
    };
    format!(" This is inferred: {why}.")
}
