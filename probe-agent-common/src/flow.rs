//! The 4-tuple of a probe.

use core::hash::{Hash, Hasher};

/// Local and remote address and port of a probe, in one spelling for IPv4 and IPv6.
///
/// Addresses are 16 bytes in network order; an IPv4 address is stored IPv4-mapped (RFC 4291,
/// section 2.5.5.2). Thus an IPv4 packet that belongs to an `AF_INET6` socket has the same key in
/// an event with a socket (family `AF_INET6`) and in one without (read from the IPv4 header).
/// Ports are in host order.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlowKey {
    /// Address of the agent's end.
    pub local: [u8; 16],
    /// Address of the target's end.
    pub remote: [u8; 16],
    /// Port of the agent's end.
    pub local_port: u16,
    /// Port of the target's end.
    pub remote_port: u16,
}

const _: () = assert!(size_of::<FlowKey>() == 36 && align_of::<FlowKey>() == 2);

/// The IPv4-mapped IPv6 form of an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn v4_mapped(a: [u8; 4]) -> [u8; 16] {
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a[0], a[1], a[2], a[3]]
}

/// In three words: the derived way hands a hasher each address by its length and its bytes.
impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(u128::from_ne_bytes(self.local));
        state.write_u128(u128::from_ne_bytes(self.remote));
        state.write_u32(u32::from(self.local_port) << 16 | u32::from(self.remote_port));
    }
}

impl FlowKey {
    /// The same flow as the other end sees it.
    #[inline(always)]
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self {
            local: self.remote,
            remote: self.local,
            local_port: self.remote_port,
            remote_port: self.local_port,
        }
    }
}
