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
    macros::{btf_tracepoint, raw_tracepoint, tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext, TracePointContext},
};
use probe_agent_common::{ABSENT, Counter, FlowKey, RecordKind};

use super::CLOSE;
use crate::{
    emit::{self, Details},
    filter::{self, Owner},
    kernel::{self, Pointer, Typed, Untyped},
    maps::{self, layout},
    packet::Packet,
    socket::Socket,
    tuple::{self, Fields, Tuple, field},
};

/// The reason of a RST. The verifier lets a program that names an argument attach only where there is
/// one.
macro_rules! reason {
    ($ctx:ident) => {
        if layout!(raw.reason) == ABSENT { -1 } else { $ctx.arg(2) }
    };
}

/// A RST that answers nothing: a socket's own close.
#[btf_tracepoint]
fn raw_tcp_send_reset(ctx: BtfTracePointContext) -> i32 {
    close(Typed(ctx.arg(0)), Typed(ctx.arg(1)), || reason!(ctx));
    0
}

/// The same where the kernel does not know that an argument may be 0 (see `nullable`).
#[raw_tracepoint]
fn untyped_tcp_send_reset(ctx: RawTracePointContext) -> i32 {
    close(Untyped(ctx.arg(0)), Untyped(ctx.arg(1)), || reason!(ctx));
    0
}

#[inline(always)]
fn close<P: Pointer>(sk: P, skb: P, reason: impl Fn() -> i32) {
    if skb.address() == 0 && sk.address() != 0 {
        let socket = Socket(sk);
        let owner = filter::owner_of_socket(socket.local_port(), sk.address());
        if owner.is_some() || kernel::socket_in_our_netns(sk) {
            maps::count(Counter::RstsSeen);
        }
        if let Some(owner) = owner {
            of_owner(owner, true, details(socket.state(), reason()), || Some(socket.flow()));
        }
    }
}

/// A RST that answers a packet.
#[btf_tracepoint]
fn raw_tcp_send_reset_answer(ctx: BtfTracePointContext) -> i32 {
    answer(Typed(ctx.arg(0)), Typed(ctx.arg(1)), || reason!(ctx));
    0
}

/// The same where the kernel does not know that an argument may be 0.
#[raw_tracepoint]
fn untyped_tcp_send_reset_answer(ctx: RawTracePointContext) -> i32 {
    answer(Untyped(ctx.arg(0)), Untyped(ctx.arg(1)), || reason!(ctx));
    0
}

#[inline(always)]
fn answer<P: Pointer>(sk: P, skb: P, reason: impl Fn() -> i32) {
    if skb.address() == 0 || !in_our_netns(sk, skb) {
        return;
    }
    maps::count(Counter::RstsSeen);
    if sk.address() == 0 {
        let packet = Packet::new(skb);
        let port = packet.local_port();
        if maps::is_owned(port) {
            without_socket(port, details(0, reason()), || packet.flow());
        }
    } else {
        let socket = Socket(sk);
        if let Some(owner) = filter::owner_of_socket(socket.local_port(), sk.address()) {
            of_owner(owner, false, details(socket.state(), reason()), || Some(socket.flow()));
        }
    }
}

#[inline(always)]
fn details(state: u8, reason: i32) -> Details {
    Details { kind: RecordKind::RstSent, state, old_state: 0, detail: reason }
}

/// Whose network namespace counts a RST, be it of a socket or of none.
///
/// Asked for before anything else of an answer: the verifier takes milliseconds for each place where a
/// packet is followed to its namespace, and for each way that leads there.
#[inline(always)]
fn in_our_netns<P: Pointer>(sk: P, skb: P) -> bool {
    if sk.address() == 0 {
        kernel::packet_in_our_netns(skb)
    } else {
        kernel::socket_in_our_netns(sk)
    }
}

#[tracepoint]
fn tcp_send_reset(ctx: TracePointContext) -> u32 {
    let sockaddr = layout!(send_reset.saddr_sockaddr);
    let port = if sockaddr == ABSENT {
        field::<u16>(&ctx, layout!(send_reset.tuple.sport))
    } else {
        tuple::sockaddr_port(&ctx, sockaddr)
    };
    // Without BTF nobody can tell whose namespace a RST is of, and nobody asks for the count.
    let is_counted = layout!(sock_net) != ABSENT;
    let is_owned = maps::is_owned(port);
    if !is_owned && !is_counted {
        return 0;
    }
    let sk = Untyped(field(&ctx, layout!(send_reset.skaddr)));
    let skb = Untyped(field(&ctx, layout!(send_reset.skbaddr)));
    let is_in_our_netns = in_our_netns(sk, skb);
    if is_in_our_netns {
        maps::count(Counter::RstsSeen);
    }
    if is_owned {
        let state = field::<i32>(&ctx, layout!(send_reset.state)) as u8;
        let offset = layout!(send_reset.reason);
        let reason = if offset == ABSENT { -1 } else { field::<i32>(&ctx, offset) };
        if sk.0 == 0 {
            if is_in_our_netns {
                without_socket(port, details(0, reason), || flow(&ctx));
            }
        } else if let Some(owner) = filter::owner_of_socket(port, sk.0) {
            of_owner(owner, skb.0 == 0, details(state, reason), || flow(&ctx));
        }
    }
    0
}

/// A RST that a slot's socket is part of; `is_close`: one that answers no packet.
#[inline(always)]
fn of_owner(owner: Owner, is_close: bool, of: Details, flow: impl Fn() -> Option<FlowKey>) {
    if is_close && i32::from(of.state) == CLOSE {
        // SAFETY: the helper has no preconditions.
        owner.record.rst_sent_at = unsafe { bpf_ktime_get_ns() };
        owner.record.rst_reason = of.detail;
    } else if let Some(flow) = flow() {
        emit::of_slot(owner, flow, &of);
    }
}

/// No slot's socket is part of this RST of the agent's namespace, so the address is compared here.
#[inline(always)]
fn without_socket(port: u16, of: Details, flow: impl Fn() -> Option<FlowKey>) {
    let (Some(entry), Some(flow)) = (maps::port(port), flow()) else { return };
    if filter::address_matches(entry, &flow.local) {
        emit::of_flow(flow, &of);
    }
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
