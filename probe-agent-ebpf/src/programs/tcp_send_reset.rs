//! Tracepoint `tcp:tcp_send_reset`: `skbaddr`, `skaddr`, `state`, since about 6.10 `reason`.
//!
//! It fires when a RST is generated, even if netfilter then drops it. Three shapes matter:
//! - no packet to answer, `TCP_CLOSE`: the RST of the probe's own close. Noted in the record.
//! - a packet and a socket in `SYN_SENT`: a challenge ACK or a late SYN-ACK met this probe.
//! - a packet and no socket: a late SYN-ACK of a probe that is over. Only kernels whose tracepoint
//!   has `reason` report these; earlier ones fire for full sockets only.

use aya_ebpf::{helpers::bpf_ktime_get_ns, macros::tracepoint, programs::TracePointContext};
use probe_agent_common::{ABSENT, Counter, EventKind, FlowKey};

use super::CLOSE;
use crate::{
    emit::{self, Details},
    filter, kernel,
    maps::{self, layout},
    tuple::{self, field},
};

#[tracepoint]
fn tcp_send_reset(ctx: TracePointContext) -> u32 {
    let sockaddr = layout!(send_reset.saddr_sockaddr);
    let port = if sockaddr == ABSENT {
        field::<u16>(&ctx, layout!(send_reset.tuple.sport))
    } else {
        tuple::sockaddr_port(&ctx, sockaddr)
    };
    if maps::port(port).is_some() {
        ours(&ctx, port);
    }
    0
}

#[inline(always)]
fn ours(ctx: &TracePointContext, port: u16) {
    let sk = field::<u64>(ctx, layout!(send_reset.skaddr));
    let skb = field::<u64>(ctx, layout!(send_reset.skbaddr));
    let state = field::<i32>(ctx, layout!(send_reset.state));
    let offset = layout!(send_reset.reason);
    let reason = if offset == ABSENT { -1 } else { field::<i32>(ctx, offset) };
    let details =
        Details { kind: EventKind::RstSent, state: state as u8, old_state: 0, detail: reason };

    if sk == 0 {
        answer_without_socket(ctx, port, skb, details);
        return;
    }
    let Some(owner) = filter::owner_of_socket(port, sk) else { return };
    if skb == 0 && state == CLOSE {
        // SAFETY: the helper has no preconditions.
        owner.record.rst_sent_at = unsafe { bpf_ktime_get_ns() };
        owner.record.rst_reason = reason;
    } else if let Some(flow) = flow(ctx) {
        emit::of_slot(owner, flow, &details);
    }
}

/// No slot's socket is part of this, so address and namespace are compared here.
#[inline(always)]
fn answer_without_socket(ctx: &TracePointContext, port: u16, skb: u64, details: Details) {
    let (Some(entry), Some(flow)) = (maps::port(port), flow(ctx)) else { return };
    if !filter::address_matches(entry, &flow.local)
        || (skb != 0 && !kernel::packet_in_our_netns(skb))
    {
        maps::count(Counter::Foreign);
        return;
    }
    emit::of_flow(flow, &Details { state: 0, ..details });
}

/// The 4-tuple, from whichever shape this kernel has.
#[inline(always)]
fn flow(ctx: &TracePointContext) -> Option<FlowKey> {
    let local = layout!(send_reset.saddr_sockaddr);
    if local == ABSENT {
        return Some(tuple::flow(ctx, layout!(send_reset.tuple)));
    }
    let remote = layout!(send_reset.daddr_sockaddr);
    let (Some(local_address), Some(remote_address)) =
        (tuple::sockaddr_address(ctx, local), tuple::sockaddr_address(ctx, remote))
    else {
        emit::anomaly(ctx, "address family", u32::from(field::<u16>(ctx, local)));
        return None;
    };
    Some(FlowKey {
        local: local_address,
        remote: remote_address,
        local_port: tuple::sockaddr_port(ctx, local),
        remote_port: tuple::sockaddr_port(ctx, remote),
    })
}
