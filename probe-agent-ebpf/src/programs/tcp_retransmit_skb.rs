//! Tracepoint `tcp:tcp_retransmit_skb`, since 4.15: `skaddr`, `state`, the 4-tuple, since about
//! 6.17 `err`. Raw: `sk`, `skb`, `err`. In `SYN_SENT` the segment is the SYN.

use aya_ebpf::{
    macros::{raw_tracepoint, tracepoint},
    programs::{RawTracePointContext, TracePointContext},
};
use probe_agent_common::{ABSENT, EventKind};

use crate::{
    emit::{self, Details},
    filter,
    maps::{self, layout},
    socket::Socket,
    tuple::{Fields, Tuple, field},
};

#[raw_tracepoint]
fn raw_tcp_retransmit_skb(ctx: RawTracePointContext) -> i32 {
    let sk = ctx.arg::<u64>(0);
    let socket = Socket(sk);
    let port = socket.local_port();
    if maps::port(port).is_some() {
        // The verifier lets a program that names an argument attach only where there is one.
        let error = if layout!(raw.err) == ABSENT { 0 } else { ctx.arg(2) };
        ours(port, sk, socket.state(), error, &socket);
    }
    0
}

#[tracepoint]
fn tcp_retransmit_skb(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(retransmit_skb.tuple.sport));
    if maps::port(port).is_some() {
        let sk = field::<u64>(&ctx, layout!(retransmit_skb.skaddr));
        let state = field::<i32>(&ctx, layout!(retransmit_skb.state)) as u8;
        let offset = layout!(retransmit_skb.err);
        let error = if offset == ABSENT { 0 } else { field(&ctx, offset) };
        ours(port, sk, state, error, &Fields { ctx: &ctx, layout: layout!(retransmit_skb.tuple) });
    }
    0
}

#[inline(always)]
fn ours(port: u16, sk: u64, state: u8, error: i32, tuple: &impl Tuple) {
    let Some(owner) = filter::owner_of_socket(port, sk) else { return };
    emit::of_slot(
        owner,
        tuple.flow(),
        &Details { kind: EventKind::SegmentRetransmit, state, old_state: 0, detail: error },
    );
}
