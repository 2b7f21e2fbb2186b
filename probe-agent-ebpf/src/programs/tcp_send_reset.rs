//! Tracepoint `tcp:tcp_send_reset`: `skbaddr`, `skaddr`, `state`, since about 6.10 `reason`. Raw:
//! `sk`, `skb`, `reason`.
//!
//! It fires when a RST is generated, even if netfilter then drops it. Three shapes matter:
//! - no packet to answer, `TCP_CLOSE`: the RST of the probe's own close. Noted in the record.
//! - a packet and a socket in `SYN_SENT`: a challenge ACK or a late SYN-ACK met this probe.
//! - a packet and no socket: a late SYN-ACK of a probe that is over. Only kernels whose tracepoint
//!   has `reason` report these; earlier ones fire for full sockets only.
//!
//! The raw tracepoint has two programs, one for the first shape and one for the others: the kernel
//! skips a program that an interrupt finds running, and a server's timer that runs out while a probe
//! closes must not be missed.

use aya_ebpf::{
    helpers::bpf_ktime_get_ns,
    macros::{raw_tracepoint, tracepoint},
    programs::{RawTracePointContext, TracePointContext},
};
use probe_agent_common::{ABSENT, Counter, EventKind, FlowKey};

use super::CLOSE;
use crate::{
    emit::{self, Details},
    filter, kernel,
    maps::{self, layout},
    packet::Packet,
    socket::Socket,
    tuple::{self, Fields, Tuple, field},
};

/// A RST of a port of the agent's.
struct Rst {
    port: u16,
    sk: u64,
    skb: u64,
    details: Details,
}

impl Rst {
    #[inline(always)]
    fn new(port: u16, sk: u64, skb: u64, state: u8, reason: i32) -> Self {
        let details = Details { kind: EventKind::RstSent, state, old_state: 0, detail: reason };
        Self { port, sk, skb, details }
    }
}

/// A RST that answers nothing: a socket's own close.
#[raw_tracepoint]
fn raw_tcp_send_reset(ctx: RawTracePointContext) -> i32 {
    let (sk, skb) = (ctx.arg::<u64>(0), ctx.arg::<u64>(1));
    if skb == 0 && sk != 0 {
        let socket = Socket(sk);
        let port = socket.local_port();
        if maps::port(port).is_some() {
            let rst = Rst::new(port, sk, 0, socket.state(), reason(&ctx));
            of_socket(&rst, || Some(socket.flow()));
        } else {
            count_foreign(sk, 0);
        }
    }
    0
}

/// A RST that answers a packet.
#[raw_tracepoint]
fn raw_tcp_send_reset_answer(ctx: RawTracePointContext) -> i32 {
    let (sk, skb) = (ctx.arg::<u64>(0), ctx.arg::<u64>(1));
    if skb != 0 {
        answer(&ctx, sk, skb);
    }
    0
}

#[inline(always)]
fn answer(ctx: &RawTracePointContext, sk: u64, skb: u64) {
    if sk == 0 {
        let packet = Packet::new(skb);
        let port = packet.local_port();
        if maps::port(port).is_some() {
            without_socket(&Rst::new(port, 0, skb, 0, reason(ctx)), || packet.flow());
        } else {
            count_foreign(0, skb);
        }
        return;
    }
    let socket = Socket(sk);
    let port = socket.local_port();
    if maps::port(port).is_some() {
        let rst = Rst::new(port, sk, skb, socket.state(), reason(ctx));
        of_socket(&rst, || Some(socket.flow()));
    } else {
        count_foreign(sk, skb);
    }
}

/// A RST that is not the agent's is in its network namespace's count all the same.
#[inline(always)]
fn count_foreign(sk: u64, skb: u64) {
    let is_ours =
        if sk == 0 { kernel::packet_in_our_netns(skb) } else { kernel::socket_in_our_netns(sk) };
    if is_ours {
        maps::count(Counter::RstsSeen);
    }
}

/// The verifier lets a program that names an argument attach only where there is one.
#[inline(always)]
fn reason(ctx: &RawTracePointContext) -> i32 {
    if layout!(raw.reason) == ABSENT { -1 } else { ctx.arg(2) }
}

#[tracepoint]
fn tcp_send_reset(ctx: TracePointContext) -> u32 {
    let sockaddr = layout!(send_reset.saddr_sockaddr);
    let port = if sockaddr == ABSENT {
        field::<u16>(&ctx, layout!(send_reset.tuple.sport))
    } else {
        tuple::sockaddr_port(&ctx, sockaddr)
    };
    if maps::port(port).is_some() {
        let sk = field::<u64>(&ctx, layout!(send_reset.skaddr));
        let skb = field::<u64>(&ctx, layout!(send_reset.skbaddr));
        let state = field::<i32>(&ctx, layout!(send_reset.state)) as u8;
        let offset = layout!(send_reset.reason);
        let reason = if offset == ABSENT { -1 } else { field::<i32>(&ctx, offset) };
        let rst = Rst::new(port, sk, skb, state, reason);
        if sk == 0 {
            without_socket(&rst, || flow(&ctx));
        } else {
            of_socket(&rst, || flow(&ctx));
        }
    } else if layout!(sock_net) != ABSENT {
        // Without BTF nobody could tell whose namespace it is of, and nobody asks for the count.
        let sk = field::<u64>(&ctx, layout!(send_reset.skaddr));
        count_foreign(sk, field(&ctx, layout!(send_reset.skbaddr)));
    }
    0
}

/// A RST that a socket is part of.
#[inline(always)]
fn of_socket(rst: &Rst, flow: impl Fn() -> Option<FlowKey>) {
    let Some(owner) = filter::owner_of_socket(rst.port, rst.sk) else {
        count_foreign(rst.sk, rst.skb);
        return;
    };
    maps::count(Counter::RstsSeen);
    if rst.skb == 0 && i32::from(rst.details.state) == CLOSE {
        // SAFETY: the helper has no preconditions.
        owner.record.rst_sent_at = unsafe { bpf_ktime_get_ns() };
        owner.record.rst_reason = rst.details.detail;
    } else if let Some(flow) = flow() {
        emit::of_slot(owner, flow, &rst.details);
    }
}

/// No slot's socket is part of this, so address and namespace are compared here.
#[inline(always)]
fn without_socket(rst: &Rst, flow: impl Fn() -> Option<FlowKey>) {
    let (Some(entry), Some(flow)) = (maps::port(rst.port), flow()) else { return };
    if rst.skb != 0 && !kernel::packet_in_our_netns(rst.skb) {
        maps::count(Counter::Foreign);
        return;
    }
    maps::count(Counter::RstsSeen);
    if !filter::address_matches(entry, &flow.local) {
        maps::count(Counter::Foreign);
        return;
    }
    emit::of_flow(flow, &Details { state: 0, ..rst.details });
}

/// The 4-tuple of the record, from whichever shape this kernel has.
#[inline(always)]
fn flow(ctx: &TracePointContext) -> Option<FlowKey> {
    let local = layout!(send_reset.saddr_sockaddr);
    if local == ABSENT {
        return Some(Fields { ctx, layout: layout!(send_reset.tuple) }.flow());
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
