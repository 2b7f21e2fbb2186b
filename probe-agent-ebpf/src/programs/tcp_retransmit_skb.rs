//! Tracepoint `tcp:tcp_retransmit_skb`, since 4.15: `skaddr`, `state`, the 4-tuple, since about
//! 6.17 `err`. Raw: `sk`, `skb`, `err`. In `SYN_SENT` the segment is the SYN.

use aya_ebpf::{
    macros::{btf_tracepoint, tracepoint},
    programs::{BtfTracePointContext, TracePointContext},
};
use probe_agent_common::{ABSENT, RecordKind};

use crate::{
    emit::{self, Details},
    filter,
    kernel::{Pointer, Typed},
    maps::{self, layout},
    socket::Socket,
    tuple::{Fields, Tuple, field},
};

#[btf_tracepoint]
fn raw_tcp_retransmit_skb(ctx: BtfTracePointContext) -> i32 {
    let socket = Socket(Typed(ctx.arg(0)));
    let port = socket.local_port();
    if maps::is_owned(port) {
        // The verifier lets a program that names an argument attach only where there is one.
        let error = if layout!(raw.err) == ABSENT { 0 } else { ctx.arg(2) };
        ours(port, socket.0.address(), socket.state(), error, &socket);
    }
    0
}

#[tracepoint]
fn tcp_retransmit_skb(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(retransmit_skb.tuple.sport));
    if maps::is_owned(port) {
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
        &Details { kind: RecordKind::SegmentRetransmit, state, old_state: 0, detail: error },
    );
}
