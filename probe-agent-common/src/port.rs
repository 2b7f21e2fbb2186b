//! The filter: which local ports are the agent's.

/// One element of the `PORTS` array, indexed by local port: which slot owns the port, if any.
///
/// This is the early return of every hook. A port that is bound explicitly belongs to one owner
/// within its network namespace: the kernel's automatic choice of a source port passes over it
/// (`__inet_hash_connect`, `fastreuse >= 0`).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortEntry {
    /// 1 + the slot's index; 0 means that the port is not the agent's.
    pub slot_plus_one: u32,
    /// 1 where the slot is bound to `address`, 0 where it is bound to the wildcard.
    pub bound: u32,
    /// `SO_COOKIE` of the slot's socket, which tells it from a socket of the same port in another
    /// network namespace; 0 if it is not known.
    pub cookie: u64,
    /// The address that the slot is bound to, in the spelling of [`FlowKey`](crate::FlowKey).
    pub address: [u8; 16],
}

const _: () = assert!(size_of::<PortEntry>() == 32 && align_of::<PortEntry>() == 8);

/// Words of the `OWNED` bitmap: one bit for each port.
pub const OWNED_WORDS: u32 = (1 << 16) / u64::BITS;

/// The word of the `OWNED` bitmap that a port's bit is in.
#[inline(always)]
#[must_use]
pub const fn owned_word(port: u16) -> u32 {
    port as u32 / u64::BITS
}

/// A port's bit within its word.
#[inline(always)]
#[must_use]
pub const fn owned_bit(port: u16) -> u64 {
    1 << (port as u32 % u64::BITS)
}
