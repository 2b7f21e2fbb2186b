//! Reads ports and addresses from a tracepoint record.

use aya_ebpf::programs::TracePointContext;
use probe_agent_common::{FlowKey, TupleLayout, v4_mapped};

/// An IPv6 address of four words in network order.
#[inline(always)]
pub(crate) fn v6(words: [u32; 4]) -> [u8; 16] {
    let [a, b, c, d] = words.map(u32::to_ne_bytes);
    [a[0], a[1], a[2], a[3], b[0], b[1], b[2], b[3], c[0], c[1], c[2], c[3], d[0], d[1], d[2], d[3]]
}

/// Whatever can name a 4-tuple.
pub(crate) trait Tuple {
    /// The local address alone: a clean probe asks for no more.
    fn local(&self) -> [u8; 16];
    /// All of it.
    fn flow(&self) -> FlowKey;
}

/// The separate fields of a tracepoint record. `local` is the kernel's `saddr`.
pub(crate) struct Fields<'a> {
    pub(crate) ctx: &'a TracePointContext,
    pub(crate) layout: TupleLayout,
}

impl Tuple for Fields<'_> {
    #[inline(always)]
    fn local(&self) -> [u8; 16] {
        field(self.ctx, self.layout.saddr_v6)
    }

    #[inline(always)]
    fn flow(&self) -> FlowKey {
        FlowKey {
            local: self.local(),
            remote: field(self.ctx, self.layout.daddr_v6),
            local_port: field(self.ctx, self.layout.sport),
            remote_port: field(self.ctx, self.layout.dport),
        }
    }
}

pub(crate) const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// Reads a field of the tracepoint record; zero where the kernel refuses the read, which does not
/// happen for an offset that the format file names.
#[inline(always)]
pub(crate) fn field<T: Copy + Default>(ctx: &TracePointContext, offset: u16) -> T {
    // SAFETY: `bpf_probe_read_kernel` checks the address itself, and T is plain data.
    unsafe { ctx.read_at::<T>(offset as usize) }.unwrap_or_default()
}

/// The port of a `struct sockaddr_in` or `sockaddr_in6` at `offset`; in both it follows the family.
#[inline(always)]
pub(crate) fn sockaddr_port(ctx: &TracePointContext, offset: u16) -> u16 {
    u16::from_be(field(ctx, offset + 2))
}

/// The address of a `struct sockaddr_in` or `sockaddr_in6` at `offset`; `None` for another family.
#[inline(always)]
pub(crate) fn sockaddr_address(ctx: &TracePointContext, offset: u16) -> Option<[u8; 16]> {
    match field::<u16>(ctx, offset) {
        AF_INET => Some(v4_mapped(field(ctx, offset + 4))),
        // After port and flowinfo.
        AF_INET6 => Some(field(ctx, offset + 8)),
        _ => None,
    }
}
