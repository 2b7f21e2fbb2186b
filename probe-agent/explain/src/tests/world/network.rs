//! The network: what it loses, and what the kernel of this host is seen to drop.

use super::{Action, Fate, World, truth::Sent};
use model::{
    event::EventKind,
    packet_drop::{DropPlace, DropReason, InterfaceName, PacketDrop},
    segment::{self, TcpFlags},
};

/// A segment on the wire. `of` is the probe whose SYN it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tests) enum Segment {
    Syn { of: u32, server: usize },
    SynAck { of: u32, sent: u64, echo: u64, server: usize, is_proxy: bool },
    Challenge { of: u32, server: usize },
    Rst { of: u32, first: bool, server: usize },
    TargetRst { of: u32, server: usize },
}

impl Segment {
    /// The probe whose SYN it belongs to.
    pub(in crate::tests) const fn of(self) -> u32 {
        match self {
            Self::Syn { of, .. }
            | Self::SynAck { of, .. }
            | Self::Challenge { of, .. }
            | Self::Rst { of, .. }
            | Self::TargetRst { of, .. } => of,
        }
    }

    /// Whether the client sends it.
    pub(in crate::tests) const fn is_outgoing(self) -> bool {
        matches!(self, Self::Syn { .. } | Self::Rst { .. })
    }

    /// Its header. Each SYN has an initial sequence number of its own, and so has each SYN-ACK of a server.
    pub(in crate::tests) const fn header(self) -> segment::Segment {
        let end = self.of() * 1_000;
        let (bits, seq, ack) = match self {
            Self::Syn { .. } => (0x02, end - 1, 0),
            Self::SynAck { of, server, .. } => (0x12, synack_seq(of, server), end),
            Self::Challenge { of, server } => (0x10, synack_seq(of, server) + 1, end),
            Self::Rst { of, first: true, server } => (0x14, end, synack_seq(of, server) + 1),
            Self::Rst { first: false, .. } => (0x04, end, 0),
            Self::TargetRst { of, server } => (0x14, synack_seq(of, server) + 1, end),
        };
        segment::Segment { flags: TcpFlags(bits), seq, ack }
    }
}

/// The initial sequence number of a server for the SYN of a probe.
pub(super) const fn synack_seq(of: u32, server: usize) -> u32 {
    of * 77 + if server == 0 { 0 } else { 500_000_000 }
}

impl World {
    /// Sends from either end; the network may lose the segment. Returns whether this host itself dropped it.
    pub(super) fn send(&mut self, segment: Segment) -> bool {
        let percent = match segment {
            Segment::Syn { .. } => self.faults.syn,
            Segment::Rst { first: true, .. } => self.faults.first_rst,
            Segment::Rst { .. } => self.faults.recovery_rst,
            Segment::SynAck { .. } | Segment::Challenge { .. } => self.faults.syn_ack,
            Segment::TargetRst { .. } => 0,
        };
        let lost = self.random(100) < percent;
        let place = if lost { self.drop_place() } else { None };
        if let Segment::Rst { of, first: true, .. } = segment {
            self.truth.arrives.insert(of, self.now + self.one_way);
            if lost {
                self.truth.lost.insert(of);
            }
        }
        let at = self.now;
        let to_client = !segment.is_outgoing();
        let fate = if !lost {
            Fate::Arrives(self.now + self.one_way)
        } else if to_client && place == Some(DropPlace::OurNetns) {
            Fate::Lost(place.map(|place| (place, at + self.one_way)))
        } else {
            Fate::Lost(place.map(|place| (place, at)))
        };
        self.truth.sent.push(Sent { at, segment, fate });
        match (fate, place) {
            (Fate::Arrives(_), _) if to_client => {
                self.after(self.one_way, Action::ToClient(segment));
            }
            (Fate::Arrives(_), _) => self.after(self.one_way, Action::ToServer(segment)),
            (Fate::Lost(_), Some(DropPlace::OurNetns)) if to_client => {
                self.after(self.one_way, Action::DroppedAtClient(segment));
            }
            (Fate::Lost(_), Some(place)) => {
                self.report_drop(segment, place == DropPlace::OurNetns);
            }
            (Fate::Lost(_), None) => {}
        }
        place == Some(DropPlace::OurNetns)
    }

    fn drop_place(&mut self) -> Option<DropPlace> {
        if self.happens(self.faults.drop_here) {
            Some(DropPlace::OurNetns)
        } else if self.happens(self.faults.drop_there) {
            Some(DropPlace::OtherNetns)
        } else {
            None
        }
    }

    /// `kfree_skb` of a segment, by a packet filter.
    pub(super) fn report_drop(&mut self, segment: Segment, is_here: bool) {
        let place = if is_here { DropPlace::OurNetns } else { DropPlace::OtherNetns };
        self.report_dropped(segment, place, DropReason::NETFILTER);
    }

    pub(super) fn report_dropped(
        &mut self,
        segment: Segment,
        place: DropPlace,
        reason: DropReason,
    ) {
        let (outgoing, segment) = (segment.is_outgoing(), segment.header());
        let interface = InterfaceName::new();
        let drop = PacketDrop { segment, outgoing, place, reason, interface };
        self.report(EventKind::PacketDropped(drop));
    }
}
