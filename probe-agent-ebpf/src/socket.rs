//! The members of a kernel socket, for the hooks that get a pointer to one.
//!
//! A request socket and a timewait socket begin as a socket does, so all members but the protocol can
//! be read from any of them.

use probe_agent_common::{ABSENT, FlowKey, v4_mapped};

use crate::{
    address::AF_INET,
    kernel::{Pointer, Typed, v4, v6},
    maps::layout,
};

/// A `struct sock`, `struct request_sock` or `struct inet_timewait_sock`.
#[derive(Clone, Copy)]
pub(crate) struct Socket(pub(crate) Typed);

impl Socket {
    #[inline(always)]
    pub(crate) fn local_port(self) -> u16 {
        self.0.read(layout!(socket.local_port))
    }

    #[inline(always)]
    pub(crate) fn remote_port(self) -> u16 {
        u16::from_be(self.0.read(layout!(socket.remote_port)))
    }

    #[inline(always)]
    pub(crate) fn state(self) -> u8 {
        self.0.read(layout!(socket.state))
    }

    /// `sk_protocol`; a byte before 5.6, at the same place. Only of a full socket.
    #[inline(always)]
    pub(crate) fn protocol(self) -> u16 {
        self.0.read::<u16>(layout!(socket.protocol)) & 0xff
    }

    #[inline(always)]
    pub(crate) fn local(self) -> [u8; 16] {
        self.address(layout!(socket.local_v4), layout!(socket.local_v6))
    }

    #[inline(always)]
    pub(crate) fn flow(self) -> FlowKey {
        FlowKey {
            local: self.local(),
            remote: self.address(layout!(socket.remote_v4), layout!(socket.remote_v6)),
            local_port: self.local_port(),
            remote_port: self.remote_port(),
        }
    }

    /// An address in the family that the socket has.
    #[inline(always)]
    fn address(self, at_v4: u16, at_v6: u16) -> [u8; 16] {
        if at_v6 == ABSENT || self.0.read::<u16>(layout!(socket.family)) == AF_INET {
            v4_mapped(v4(self.0, at_v4))
        } else {
            v6(self.0, at_v6)
        }
    }
}
