//! What a received packet says, where no socket is left to ask.

use probe_agent_common::{FlowKey, v4_mapped};

use crate::{
    kernel::{Pointer, Untyped, v4, v6},
    maps::layout,
};

/// A received `struct sk_buff` with its headers.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    network: Untyped,
    transport: Untyped,
}

impl Packet {
    #[inline(always)]
    pub(crate) fn new(skb: impl Pointer) -> Self {
        let head = skb.read::<u64>(layout!(raw.packet.head));
        let header = |member| Untyped(head + u64::from(skb.read::<u16>(member)));
        Self {
            network: header(layout!(raw.packet.network)),
            transport: header(layout!(raw.packet.transport)),
        }
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
