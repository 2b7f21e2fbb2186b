//! A received packet that the kernel answers with a RST.

use probe_agent_common::{ABSENT, FlowKey, v4_mapped};

use crate::{
    kernel::{Pointer, Typed, Untyped, v4, v6},
    maps::layout,
};

/// RST in byte 13 of a TCP header (RFC 9293, section 3.1).
const RST: u8 = 0x04;

/// Whether the packet is a RST itself: then the kernel sends no answer.
///
/// The kernel has put the flags of the header into its own part of the `sk_buff`
/// (`TCP_SKB_CB(skb)->tcp_flags`, filled by `tcp_v4_fill_cb`), where no helper is needed to read them.
#[inline(always)]
pub(crate) fn is_rst(skb: Typed) -> bool {
    skb.read::<u8>(layout!(packet.tcp_flags)) & RST != 0
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

    /// The port that it was sent to: destination is the second field of a TCP header.
    #[inline(always)]
    pub(crate) fn local_port(self) -> u16 {
        u16::from_be(self.transport.read(2))
    }

    /// Its flow, as its receiver sees it; `None` if it is of neither family.
    #[inline(always)]
    pub(crate) fn flow(self) -> Option<FlowKey> {
        let ip = self.network;
        let (local, remote) = match ip.read::<u8>(0) >> 4 {
            4 => (v4_mapped(v4(ip, 16)), v4_mapped(v4(ip, 12))),
            6 => (v6(ip, 24), v6(ip, 8)),
            _ => return None,
        };
        Some(FlowKey {
            local,
            remote,
            local_port: self.local_port(),
            remote_port: u16::from_be(self.transport.read(0)),
        })
    }
}
