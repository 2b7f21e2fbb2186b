//! The segments that a case names.

use model::{
    fixtures,
    packet_drop::{DropPlace, DropReason, InterfaceName, PacketDrop},
    segment::{Segment, TcpFlags},
};

/// What a RST answers.
pub(super) fn answered(what: &str) -> Result<Option<Segment>, String> {
    let (what, more) = match what.split_once('+') {
        Some((what, more)) => (what, super::number(more)?),
        None => (what, 0),
    };
    let synack = fixtures::synack();
    let synack = Segment { seq: synack.seq + more, ack: synack.ack + more, ..synack };
    Ok(match what {
        "synack" => Some(synack),
        "othersynack" => Some(Segment { seq: synack.seq + 555, ..synack }),
        "ack" => Some(Segment { flags: TcpFlags(0x10), seq: synack.seq + 1, ..synack }),
        "othersequence" => Some(Segment { flags: TcpFlags(0x10), seq: synack.seq + 555, ..synack }),
        "foreign" => Some(Segment { flags: TcpFlags(0x10), seq: 5, ack: 6 }),
        "foreignsynack" => Some(Segment { seq: 5, ack: 6, ..synack }),
        "data" => Some(Segment { flags: TcpFlags(0x18), seq: 5, ack: 6 }),
        "unread" => None,
        _ => return Err(format!("{what}?")),
    })
}

/// A drop of one of the probe's packets.
pub(super) fn dropped(
    direction: &str,
    flags: &str,
    place: &str,
    reason: &str,
) -> Result<PacketDrop, String> {
    let outgoing = direction == "out";
    let synack = fixtures::synack();
    let segment = match (flags, outgoing) {
        ("SYN", true) => Segment { flags: TcpFlags(0x02), seq: fixtures::SYN_END - 1, ack: 0 },
        ("SYN-ACK", false) => synack,
        ("ACK", false) => Segment { flags: TcpFlags(0x10), seq: synack.seq + 1, ..synack },
        ("RST", true) => {
            Segment { flags: TcpFlags(0x14), seq: fixtures::SYN_END, ack: synack.seq + 1 }
        }
        ("ANSWER", true) => Segment { flags: TcpFlags(0x04), seq: fixtures::SYN_END, ack: 0 },
        ("RST+100", true) => {
            Segment { flags: TcpFlags(0x04), seq: fixtures::SYN_END + 100, ack: 0 }
        }
        ("BARE-RST", false) => Segment { flags: TcpFlags(0x04), seq: 0, ack: 0 },
        ("RST", false) => Segment { flags: TcpFlags(0x14), seq: synack.seq + 1, ..synack },
        _ => return Err(format!("{direction} {flags}?")),
    };
    let (place, interface) = place.split_once(':').unwrap_or((place, ""));
    let place = match place {
        "here" => DropPlace::OurNetns,
        "there" => DropPlace::OtherNetns,
        "somewhere" => DropPlace::Unknown,
        _ => return Err(format!("{place}?")),
    };
    let interface = InterfaceName::from(interface).map_err(|e| e.to_string())?;
    let reason = DropReason(Box::leak(reason.into()));
    Ok(PacketDrop { segment, outgoing, place, reason, interface })
}
