//! Packets of a probe that the kernel of this host dropped: which of them were the probe's, and what a
//! reason means.

mod words;

pub(crate) use self::words::{advice, meaning, place, subject};

use model::{
    event::{Event, EventKind},
    flow,
    outcome::Outcome,
    packet_drop::{DropPlace, DropReason, PacketDrop},
    record::ProbeRecord,
};

use crate::timeline::{Coverage, Timeline};

/// How far apart two hooks may report one RST, in nanoseconds. A server's next SYN-ACK comes later.
const SAME_SEGMENT: u64 = 200_000_000;

/// A drop of a packet of the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drop {
    pub(crate) at: u64,
    pub(crate) packet: PacketDrop,
    /// As the hook reported it.
    pub(crate) event: Event,
}

impl Timeline {
    /// The drops of this probe's SYNs, SYN-ACKs and RSTs, in time order. The ACKs that the guard holds back
    /// are none; neither are packets of another connection on the same 4-tuple, by their sequence numbers.
    pub(crate) fn drops(&self) -> impl Iterator<Item = Drop> {
        self.events.iter().filter_map(|event| match event.kind {
            EventKind::PacketDropped(packet) if self.owns(&packet) => {
                let packet = self.without_borrowed_interface(packet);
                Some(Drop { at: event.at, packet, event: *event })
            }
            _ => None,
        })
    }

    /// An output rule that rejects with ICMPv6 lends the packet the loopback interface (`nf_send_unreach6`), which
    /// it was never at.
    fn without_borrowed_interface(&self, mut packet: PacketDrop) -> PacketDrop {
        let flow = &self.probe.flow;
        let own = flow::local(flow).ip();
        let is_own_icmp = self.probe.icmp.is_some_and(|icmp| icmp.is_v6 && icmp.from == Some(own));
        if is_own_icmp && packet.outgoing && flow.local != flow.remote {
            packet.interface.clear();
        }
        packet
    }

    /// Those that the agent's own network namespace dropped. A RST of the target that finds no socket is
    /// none: it came.
    pub(crate) fn local_drops(&self) -> impl Iterator<Item = Drop> {
        self.drops().filter(|drop| drop.packet.is_here() && !is_unexpected_rst(&drop.packet))
    }

    /// The drop that kept the SYN or its answer back: before the SYN was sent again, if it was.
    pub(crate) fn cause_of_silence(&self) -> Option<Drop> {
        let again = self.events.iter().find(|e| e.kind.is_syn_retransmit()).map(|e| e.at);
        self.drops().find(|drop| {
            is_of_handshake(&drop.packet) && again.is_none_or(|again| drop.at <= again)
        })
    }

    /// Whether a hook saw this host drop a packet of the probe, or its kernel refuse to send a SYN.
    pub(crate) fn is_dropped_here(&self) -> bool {
        let refused = |kind: EventKind| matches!(kind, EventKind::SynRetransmit { error } if error == -libc::EPERM);
        self.local_drops().next().is_some() || self.events.iter().any(|e| refused(e.kind))
    }

    /// When a RST of the target came that found no socket, because the probe had ended just before.
    pub(crate) fn late_target_rst(&self) -> Option<u64> {
        self.drops()
            .find(|drop| is_unexpected_rst(&drop.packet) && drop.packet.is_here())
            .map(|d| d.at)
    }

    /// The drop of the RST of the close, which has the ACK flag (`tcp_send_active_reset`). A RST that answers a
    /// SYN-ACK has not (`tcp_v4_send_reset`).
    pub(crate) fn dropped_close(&self) -> Option<Drop> {
        self.probe.rst_at()?;
        self.drops().find(|drop| {
            let flags = drop.packet.segment.flags;
            drop.packet.outgoing && flags.is_rst() && flags.has_ack()
        })
    }

    /// Whether silence, or a later SYN, shows that the server holds no connection of the probe.
    pub(crate) fn is_forgotten(&self) -> bool {
        let silent = self.coverage == Coverage::Full
            && self.followed_until >= self.silence_conclusive_at()
            && self.late_synacks().next().is_none();
        !self.reuse_in_doubt && (self.reused_cleanly || silent)
    }

    /// The drops of our RSTs on this host that answered another connection's segments, by their numbers.
    pub(crate) fn dropped_foreign_rsts(&self) -> impl Iterator<Item = Drop> {
        self.events.iter().filter_map(|event| match event.kind {
            EventKind::PacketDropped(packet)
                if packet.outgoing
                    && packet.segment.flags.is_rst()
                    && !packet.has_reached_tcp()
                    && !has_numbers_of(&self.probe, &packet) =>
            {
                Some(Drop { at: event.at, packet, event: *event })
            }
            _ => None,
        })
    }

    /// Whether the RST that answered a late SYN-ACK at `at` was seen being dropped.
    pub(crate) fn answer_was_dropped(&self, at: u64) -> bool {
        self.drops().any(|drop| {
            drop.packet.outgoing
                && drop.packet.segment.flags.is_rst()
                && drop.at.abs_diff(at) < SAME_SEGMENT
        })
    }

    /// Whether this host dropped every SYN of the probe, as far as was seen: then no answer is the target's.
    pub(crate) fn no_syn_left(&self) -> bool {
        let dropped = self
            .local_drops()
            .filter(|drop| drop.packet.outgoing && drop.packet.segment.flags.is_syn())
            .count();
        // A SYN that the kernel could not send again is among the drops, unless it still waits for a neighbour.
        let refused = |kind: EventKind| matches!(kind, EventKind::SynRetransmit { error } if error != 0 && error != -libc::EBUSY);
        let refused = self.events.iter().filter(|e| refused(e.kind)).count();
        let left = self.syn_retransmits().saturating_sub(self.failed_syn_retransmits());
        self.probe.handshake_ns().is_none() && dropped.saturating_sub(refused) > left
    }

    /// How often this host dropped a SYN that the kernel sent again. Before 6.17, `tcp_retransmit_skb` does not
    /// report such an attempt, although the socket counts it.
    pub(crate) fn dropped_retransmits(&self) -> usize {
        let again = self.probe.syn_at() + SAME_SEGMENT;
        let is_again = |drop: &Drop| {
            drop.at > again && drop.packet.outgoing && drop.packet.segment.flags.is_syn()
        };
        self.local_drops().filter(is_again).count()
    }

    /// Whether this host itself refused the SYN, although the socket was refused.
    pub(crate) fn was_refused_here(&self) -> bool {
        self.probe.outcome == Outcome::Refused && self.no_syn_left()
    }

    fn owns(&self, drop: &PacketDrop) -> bool {
        let segment = drop.segment;
        // A segment of the target that acknowledges our SYN is of the probe, whatever its flags.
        let is_wanted = !drop.outgoing
            || segment.flags.is_syn()
            || segment.flags.is_synack()
            || segment.flags.is_rst();
        let is_ours = has_numbers_of(&self.probe, drop);
        // What the server's TCP freed has arrived there: a listener ignores a RST (SYN cookies), a half-open
        // connection answers a second SYN. Only where it demands a signature it does not answer.
        let has_arrived = drop.outgoing && drop.has_reached_tcp();
        is_wanted && is_ours && !has_arrived
    }
}

/// Whether a packet has the sequence numbers of a probe, as far as they are known.
pub(crate) fn has_numbers_of(probe: &ProbeRecord, drop: &PacketDrop) -> bool {
    let segment = drop.segment;
    probe.syn_end().is_none_or(|end| {
        if drop.outgoing {
            segment.seq == end || segment.seq == end.wrapping_sub(1)
        } else if !segment.flags.is_rst() {
            segment.ack == end
        } else if !segment.flags.is_ack() {
            // It acknowledges nothing, so that only the 4-tuple tells whose it is.
            drop.place != DropPlace::OtherNetns && probe.synack_seq().is_none()
        } else {
            // A RST that answers a SYN acknowledges it; another has the next number of its sender.
            let next = probe.synack_seq().map(|seq| seq.wrapping_add(1));
            segment.ack == end || Some(segment.seq) == next
        }
    })
}

fn is_unexpected_rst(drop: &PacketDrop) -> bool {
    !drop.outgoing && drop.segment.flags.is_rst() && drop.reason == DropReason::NO_SOCKET
}

/// Whether a packet is the SYN or an answer to it, be it one that the kernel must ignore.
pub(crate) const fn is_of_handshake(drop: &PacketDrop) -> bool {
    let flags = drop.segment.flags;
    !flags.is_rst() || (!drop.outgoing && !flags.is_ack())
}
