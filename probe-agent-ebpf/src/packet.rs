//! What a received packet says, where no socket is left to ask.

use probe_agent_common::{FlowKey, v4_mapped};

use crate::{
    kernel::{read, read_u64},
    maps::layout,
};

/// A received `struct sk_buff` with its headers, by address.
#[derive(Clone, Copy)]
pub(crate) struct Packet {
    network: u64,
    transport: u64,
}

impl Packet {
    #[inline(always)]
    pub(crate) fn new(skb: u64) -> Self {
        let head = read_u64(skb, layout!(raw.packet.head));
        let header = |member| head + u64::from(read::<u16>(skb, member));
        Self {
            network: header(layout!(raw.packet.network)),
            transport: header(layout!(raw.packet.transport)),
        }
    }

    /// The port that it was sent to: destination is the second field of a TCP header.
    #[inline(always)]
    pub(crate) fn local_port(self) -> u16 {
        u16::from_be(read(self.transport, 2))
    }

    /// Its flow, as its receiver sees it; `None` if it is of neither family.
    #[inline(always)]
    pub(crate) fn flow(self) -> Option<FlowKey> {
        let (local, remote) = match read::<u8>(self.network, 0) >> 4 {
            4 => (v4_mapped(read(self.network, 16)), v4_mapped(read(self.network, 12))),
            6 => (read(self.network, 24), read(self.network, 8)),
            _ => return None,
        };
        Some(FlowKey {
            local,
            remote,
            local_port: self.local_port(),
            remote_port: u16::from_be(read(self.transport, 0)),
        })
    }
}
