//! A received packet that the kernel answers with a RST.

use probe_agent_common::{ABSENT, FlowKey, v4_mapped};

use crate::{
    kernel::{Pointer, Typed, Untyped, v4, v6},
    maps::layout,
};

/// RST in byte 13 of a TCP header (RFC 9293, section 3.1).
const RST: u8 = 0x04;

const IPPROTO_TCP: u8 = 6;

/// Whether the packet is a RST itself: then the kernel sends no answer.
///
/// The kernel has put the flags of the header into its own part of the `sk_buff`
/// (`TCP_SKB_CB(skb)->tcp_flags`, filled by `tcp_v4_fill_cb`), where no helper is needed to read them.
#[inline(always)]
pub(crate) fn is_rst(skb: Typed) -> bool {
    skb.read::<u8>(layout!(packet.tcp_flags)) & RST != 0
}

/// What is reported of a TCP header.
#[derive(Clone, Copy)]
pub(crate) struct Segment {
    /// FIN to CWR; 0 if the header is not known.
    pub(crate) flags: u8,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
}

impl Segment {
    pub(crate) const UNKNOWN: Self = Self { flags: 0, seq: 0, ack: 0 };
}

/// The flags of a TCP header, FIN to CWR (RFC 9293, section 3.1).
#[derive(Clone, Copy)]
pub(crate) struct Flags(u8);

impl Flags {
    /// 1 for SYN without ACK, else 0.
    #[inline(always)]
    pub(crate) const fn syn_bit(self) -> u64 {
        (self.0 >> 1 & !(self.0 >> 4) & 1) as u64
    }

    /// 1 for ACK, else 0.
    #[inline(always)]
    pub(crate) const fn ack_bit(self) -> u64 {
        (self.0 >> 4 & 1) as u64
    }

    /// 1 for RST, else 0.
    #[inline(always)]
    pub(crate) const fn rst_bit(self) -> u64 {
        (self.0 >> 2 & 1) as u64
    }
}

/// The headers of a packet, which no typed load reaches.
#[derive(Clone, Copy)]
pub(crate) struct Headers {
    network: Untyped,
    transport: Untyped,
}

impl Headers {
    /// `None` where this kernel forbids to read them (`lockdown=confidentiality`): the verifier then
    /// drops everything behind this, and with it every call of `bpf_probe_read_kernel`.
    #[inline(always)]
    pub(crate) fn of(skb: Typed) -> Option<Self> {
        if layout!(packet.head) == ABSENT {
            return None;
        }
        let head = skb.read::<u64>(layout!(packet.head));
        let header = |member| Untyped(head + u64::from(skb.read::<u16>(member)));
        Some(Self {
            network: header(layout!(packet.network)),
            transport: header(layout!(packet.transport)),
        })
    }

    /// Those of a packet that may be of any protocol and on its way in or out, where the kernel may not
    /// have noted yet where the TCP header is; `None` if it is no TCP segment.
    #[inline(always)]
    pub(crate) fn of_any(skb: Typed) -> Option<Self> {
        if layout!(packet.head) == ABSENT {
            return None;
        }
        let head = skb.read::<u64>(layout!(packet.head));
        let network = Untyped(head + u64::from(skb.read::<u16>(layout!(packet.network))));
        let first = network.read::<u8>(0);
        let (protocol, length) = match first >> 4 {
            4 => (network.read::<u8>(9), u64::from(first & 0x0f) * 4),
            6 => (network.read::<u8>(6), 40),
            _ => return None,
        };
        let transport = Untyped(network.0 + length);
        (protocol == IPPROTO_TCP).then_some(Self { network, transport })
    }

    /// The flags of the TCP header.
    #[inline(always)]
    pub(crate) fn flags(self) -> Flags {
        Flags(self.transport.read(13))
    }

    /// The fields of the TCP header (RFC 9293, section 3.1).
    #[inline(always)]
    pub(crate) fn segment(self) -> Segment {
        Segment {
            flags: self.transport.read(13),
            seq: u32::from_be(self.transport.read(4)),
            ack: u32::from_be(self.transport.read(8)),
        }
    }

    /// The port that it was sent to: destination is the second field of a TCP header.
    #[inline(always)]
    pub(crate) fn destination_port(self) -> u16 {
        u16::from_be(self.transport.read(2))
    }

    /// The port of one end: of the sender if `outgoing` is 1, of the receiver if it is 0.
    #[inline(always)]
    pub(crate) fn local_port(self, outgoing: u64) -> u16 {
        u16::from_be(self.transport.read(2 - 2 * outgoing as u16))
    }

    /// Its flow as one end sees it, the sender if `outgoing` is 1, the receiver if it is 0; `None` if it is of
    /// neither family.
    #[inline(always)]
    pub(crate) fn flow(self, outgoing: u64) -> Option<FlowKey> {
        let ip = self.network;
        // Source and destination follow each other, so that one offset leads from either to the other.
        let back = outgoing as u16;
        let (local, remote) = match ip.read::<u8>(0) >> 4 {
            4 => (v4_mapped(v4(ip, 16 - 4 * back)), v4_mapped(v4(ip, 12 + 4 * back))),
            6 => (v6(ip, 24 - 16 * back), v6(ip, 8 + 16 * back)),
            _ => return None,
        };
        Some(FlowKey {
            local,
            remote,
            local_port: self.local_port(outgoing),
            remote_port: self.local_port(1 - outgoing),
        })
    }
}
