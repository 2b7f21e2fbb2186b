//! Addresses in the spelling of [`FlowKey`](probe_agent_common::FlowKey).

/// `AF_INET` (`include/linux/socket.h`).
pub(crate) const AF_INET: u16 = 2;

/// An IPv6 address of four words in network order.
#[inline(always)]
pub(crate) fn v6(words: [u32; 4]) -> [u8; 16] {
    let [a, b, c, d] = words.map(u32::to_ne_bytes);
    [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3], d[0], d[1], d[2], d[3]]
}
