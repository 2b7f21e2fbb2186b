//! What the kernel's own sockets say, for the hooks that are handed a pointer to one.
//!
//! A request socket begins as a socket does, so that all but the protocol is read from either.

use probe_agent_common::{ABSENT, FlowKey, v4_mapped};

use crate::{
    kernel::{Pointer, v4, v6},
    maps::layout,
    tuple::{AF_INET, Tuple},
};

/// A `struct sock` or a `struct request_sock`.
#[derive(Clone, Copy)]
pub(crate) struct Socket<P>(pub(crate) P);

impl<P: Pointer> Socket<P> {
    #[inline(always)]
    pub(crate) fn local_port(self) -> u16 {
        self.0.read(layout!(raw.socket.local_port))
    }

    #[inline(always)]
    pub(crate) fn remote_port(self) -> u16 {
        u16::from_be(self.0.read(layout!(raw.socket.remote_port)))
    }

    #[inline(always)]
    pub(crate) fn state(self) -> u8 {
        self.0.read(layout!(raw.socket.state))
    }

    /// `sk_protocol`; a byte before 5.6, at the same place. Only of a full socket.
    #[inline(always)]
    pub(crate) fn protocol(self) -> u16 {
        self.0.read::<u16>(layout!(raw.socket.protocol)) & 0xff
    }

    /// An address in the family that the socket has.
    #[inline(always)]
    fn address(self, at_v4: u16, at_v6: u16) -> [u8; 16] {
        if at_v6 == ABSENT || self.0.read::<u16>(layout!(raw.socket.family)) == AF_INET {
            v4_mapped(v4(self.0, at_v4))
        } else {
            v6(self.0, at_v6)
        }
    }
}

impl<P: Pointer> Tuple for Socket<P> {
    #[inline(always)]
    fn local(&self) -> [u8; 16] {
        self.address(layout!(raw.socket.local_v4), layout!(raw.socket.local_v6))
    }

    #[inline(always)]
    fn flow(&self) -> FlowKey {
        FlowKey {
            local: self.local(),
            remote: self.address(layout!(raw.socket.remote_v4), layout!(raw.socket.remote_v6)),
            local_port: self.local_port(),
            remote_port: self.remote_port(),
        }
    }
}
