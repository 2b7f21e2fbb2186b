//! Reads ports and addresses from a tracepoint record.

use aya_ebpf::programs::TracePointContext;
use probe_agent_common::{FlowKey, TupleLayout, v4_mapped};

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;

/// Reads a field of the tracepoint record; zero where the kernel refuses the read, which does not
/// happen for an offset that the format file names.
#[inline(always)]
pub(crate) fn field<T: Copy + Default>(ctx: &TracePointContext, offset: u16) -> T {
    // SAFETY: `bpf_probe_read_kernel` checks the address itself, and T is plain data.
    unsafe { ctx.read_at::<T>(offset as usize) }.unwrap_or_default()
}

/// The 4-tuple from separate fields. `local` is the kernel's `saddr`.
#[inline(always)]
pub(crate) fn flow(ctx: &TracePointContext, layout: TupleLayout) -> FlowKey {
    FlowKey {
        local: field(ctx, layout.saddr_v6),
        remote: field(ctx, layout.daddr_v6),
        local_port: field(ctx, layout.sport),
        remote_port: field(ctx, layout.dport),
    }
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
