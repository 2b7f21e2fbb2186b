//! Tracepoint `sock:inet_sock_set_state`, since 4.16: `skaddr`, `oldstate`, `newstate`, the 4-tuple.
//!
//! Notes the three transitions of a clean probe in the slot's record and sends any other.

use aya_ebpf::{helpers::bpf_ktime_get_ns, macros::tracepoint, programs::TracePointContext};
use probe_agent_common::{ABSENT, Counter, EventKind, SlotRecord};

use super::{CLOSE, ESTABLISHED, SYN_SENT};
use crate::{
    emit::{self, Details},
    filter::{self, Owner},
    kernel,
    maps::{self, layout},
    tuple::{self, field},
};

const IPPROTO_TCP: u16 = 6;

#[tracepoint]
fn inet_sock_set_state(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(set_state.tuple.sport));
    if maps::port(port).is_some() {
        ours(&ctx, port);
    }
    0
}

#[inline(always)]
fn ours(ctx: &TracePointContext, port: u16) {
    let sk = field::<u64>(ctx, layout!(set_state.skaddr));
    let from = field::<i32>(ctx, layout!(set_state.old_state));
    let to = field::<i32>(ctx, layout!(set_state.new_state));
    if (from, to) == (CLOSE, SYN_SENT) {
        syn(ctx, port, sk);
        return;
    }
    let Some(owner) = filter::owner_of_socket(port, sk) else { return };
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    match (from, to) {
        (SYN_SENT, ESTABLISHED) => owner.record.established_at = now,
        (SYN_SENT | ESTABLISHED, CLOSE) => {
            owner.record.closed_at = now;
            owner.record.segments_out = kernel::segments_out(sk);
        }
        _ => other(ctx, owner, from, to),
    }
}

/// `CLOSE -> SYN_SENT`: a probe begins, in the context of the agent's `connect()`.
#[inline(always)]
fn syn(ctx: &TracePointContext, port: u16, sk: u64) {
    let Some(entry) = maps::port(port) else { return };
    let local = field::<[u8; 16]>(ctx, layout!(set_state.tuple.saddr_v6));
    // `protocol` also names MPTCP and SCTP; before 5.6 it was a byte at the same place.
    let protocol = layout!(set_state.protocol);
    if (protocol != ABSENT && field::<u16>(ctx, protocol) & 0xff != IPPROTO_TCP)
        || !filter::address_matches(entry, &local)
        || !kernel::socket_in_our_netns(sk)
    {
        maps::count(Counter::Foreign);
        return;
    }
    let Some(owner) = filter::owner(port) else { return };
    *owner.record = SlotRecord {
        // SAFETY: the helper has no preconditions.
        syn_sent_at: unsafe { bpf_ktime_get_ns() },
        generation: owner.record.generation.wrapping_add(1),
        socket: sk,
        ..SlotRecord::default()
    };
}

/// A transition that a half-open probe does not have: the server sent data or a FIN, say.
#[inline(always)]
fn other(ctx: &TracePointContext, owner: Owner, from: i32, to: i32) {
    if !(1..=12).contains(&to) {
        emit::anomaly(ctx, "TCP state", to as u32);
    }
    let flow = tuple::flow(ctx, layout!(set_state.tuple));
    emit::of_slot(
        owner,
        flow,
        &Details {
            kind: EventKind::StateChange,
            state: to as u8,
            old_state: from as u8,
            detail: 0,
        },
    );
}
