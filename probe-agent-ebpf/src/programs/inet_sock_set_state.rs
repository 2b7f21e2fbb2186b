//! Tracepoint `sock:inet_sock_set_state`, since 4.16: `skaddr`, `oldstate`, `newstate`, the 4-tuple.
//! Raw: `sk`, `oldstate`, `newstate`.
//!
//! Notes the three transitions of a clean probe in the slot's record and sends any other.

use aya_ebpf::{
    EbpfContext,
    helpers::bpf_ktime_get_ns,
    macros::{btf_tracepoint, tracepoint},
    programs::{BtfTracePointContext, TracePointContext},
};
use probe_agent_common::{ABSENT, EventKind, SlotRecord};

use super::{CLOSE, ESTABLISHED, SYN_SENT};
use crate::{
    emit::{self, Details},
    filter::{self, Owner},
    kernel::{self, Pointer, Typed, Untyped},
    maps::{self, layout},
    socket::Socket,
    tuple::{Fields, Tuple, field},
};

const IPPROTO_TCP: u16 = 6;

/// A change of state on one of the agent's ports.
struct Change<P> {
    port: u16,
    sk: P,
    from: i32,
    to: i32,
    protocol: u16,
}

#[btf_tracepoint]
fn raw_inet_sock_set_state(ctx: BtfTracePointContext) -> i32 {
    let sk = Typed(ctx.arg(0));
    let socket = Socket(sk);
    let port = socket.local_port();
    if maps::is_owned(port) {
        let (from, to) = (ctx.arg(1), ctx.arg(2));
        ours(&ctx, &Change { port, sk, from, to, protocol: socket.protocol() }, &socket);
    }
    0
}

#[tracepoint]
fn inet_sock_set_state(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(set_state.tuple.sport));
    if maps::is_owned(port) {
        // `protocol` also names MPTCP and SCTP; before 5.6 it was a byte at the same place.
        let protocol = layout!(set_state.protocol);
        let change = Change {
            port,
            sk: Untyped(field(&ctx, layout!(set_state.skaddr))),
            from: field(&ctx, layout!(set_state.old_state)),
            to: field(&ctx, layout!(set_state.new_state)),
            protocol: if protocol == ABSENT {
                IPPROTO_TCP
            } else {
                field::<u16>(&ctx, protocol) & 0xff
            },
        };
        ours(&ctx, &change, &Fields { ctx: &ctx, layout: layout!(set_state.tuple) });
    }
    0
}

#[inline(always)]
fn ours(ctx: &impl EbpfContext, change: &Change<impl Pointer>, tuple: &impl Tuple) {
    if (change.from, change.to) == (CLOSE, SYN_SENT) {
        syn(change, tuple);
        return;
    }
    let Some(owner) = filter::owner_of_socket(change.port, change.sk.address()) else { return };
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    match (change.from, change.to) {
        (SYN_SENT, ESTABLISHED) => owner.record.established_at = now,
        (from, CLOSE) => {
            owner.record.closed_at = now;
            owner.record.segments_out = kernel::segments_out(change.sk);
            owner.record.retransmits = kernel::retransmits(change.sk);
            if !matches!(from, SYN_SENT | ESTABLISHED) {
                other(ctx, owner, change, tuple);
            }
        }
        _ => other(ctx, owner, change, tuple),
    }
}

/// `CLOSE -> SYN_SENT`: a probe begins, in the context of the agent's `connect()`.
#[inline(always)]
fn syn(change: &Change<impl Pointer>, tuple: &impl Tuple) {
    let Some(entry) = maps::port(change.port) else { return };
    if change.protocol != IPPROTO_TCP
        || !filter::address_matches(entry, &tuple.local())
        || !kernel::socket_in_our_netns(change.sk)
    {
        return;
    }
    let Some(owner) = filter::owner(change.port) else { return };
    *owner.record = SlotRecord {
        // SAFETY: the helper has no preconditions.
        syn_sent_at: unsafe { bpf_ktime_get_ns() },
        generation: owner.record.generation.wrapping_add(1),
        socket: change.sk.address(),
        ..SlotRecord::default()
    };
}

/// A transition that a half-open probe does not have: the server sent data or a FIN, say.
#[inline(always)]
fn other<P>(ctx: &impl EbpfContext, owner: Owner, change: &Change<P>, tuple: &impl Tuple) {
    if !(1..=12).contains(&change.to) {
        emit::anomaly(ctx, "TCP state", change.to as u32);
    }
    emit::of_slot(
        owner,
        tuple.flow(),
        &Details {
            kind: EventKind::StateChange,
            state: change.to as u8,
            old_state: change.from as u8,
            detail: 0,
        },
    );
}
