//! A received packet that the kernel answers with a RST.

use probe_agent_common::{ABSENT, FlowKey, v4_mapped};

use crate::{
    kernel::{Pointer, Typed, Untyped, v4, v6},
    maps::layout,
};

/// RST in byte 13 of a TCP header (RFC 9293, section 3.1).
const RST: u8 = 0x04;

/// SYN and ACK in the same byte.
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

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

    /// SYN without ACK.
    #[inline(always)]
    pub(crate) const fn is_syn(self) -> bool {
        self.flags & (SYN | ACK) == SYN
    }

    #[inline(always)]
    pub(crate) const fn is_rst(self) -> bool {
        self.flags & RST != 0
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

    /// The fields of the TCP header (RFC 9293, section 3.1).
    #[inline(always)]
    pub(crate) fn segment(self) -> Segment {
        Segment {
            flags: self.transport.read(13),
            seq: u32::from_be(self.transport.read(4)),
            ack: u32::from_be(self.transport.read(8)),
        }
    }

    /// The port that it was sent from.
    #[inline(always)]
    pub(crate) fn remote_port(self) -> u16 {
        u16::from_be(self.transport.read(0))
    }

    /// The port that it was sent to: destination is the second field of a TCP header.
    #[inline(always)]
    pub(crate) fn local_port(self) -> u16 {
        u16::from_be(self.transport.read(2))
    }

    /// Its flow as one end sees it, the sender if the packet is `outgoing`; `None` if it is of neither
    /// family.
    #[inline(always)]
    pub(crate) fn flow(self, outgoing: bool) -> Option<FlowKey> {
        let ip = self.network;
        let order = |source: u16, destination: u16| {
            if outgoing { (source, destination) } else { (destination, source) }
        };
        let (local, remote) = match ip.read::<u8>(0) >> 4 {
            4 => {
                let (local, remote) = order(12, 16);
                (v4_mapped(v4(ip, local)), v4_mapped(v4(ip, remote)))
            }
            6 => {
                let (local, remote) = order(8, 24);
                (v6(ip, local), v6(ip, remote))
            }
            _ => return None,
        };
        let (local_port, remote_port) = order(0, 2);
        let port = |member| u16::from_be(self.transport.read(member));
        Some(FlowKey {
            local,
            remote,
            local_port: port(local_port),
            remote_port: port(remote_port),
        })
    }
}
