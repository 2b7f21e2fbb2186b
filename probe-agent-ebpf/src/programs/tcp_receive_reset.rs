//! Tracepoint `tcp:tcp_receive_reset`, since 4.16: an acceptable RST arrived for a socket. Raw: `sk`.
//!
//! It fires before the socket goes to `CLOSE`. A server's request socket does not get here.

use aya_ebpf::{
    macros::{btf_tracepoint, tracepoint},
    programs::{BtfTracePointContext, TracePointContext},
};
use probe_agent_common::RecordKind;

use crate::{
    emit::{self, Details},
    filter,
    kernel::{Pointer, Typed},
    maps::{self, layout},
    socket::Socket,
    tuple::{Fields, Tuple, field},
};

#[btf_tracepoint]
fn raw_tcp_receive_reset(ctx: BtfTracePointContext) -> i32 {
    let socket = Socket(Typed(ctx.arg(0)));
    let port = socket.local_port();
    if maps::is_owned(port) {
        ours(port, socket.0.address(), &socket);
    }
    0
}

#[tracepoint]
fn tcp_receive_reset(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(receive_reset.tuple.sport));
    if maps::is_owned(port) {
        let sk = field::<u64>(&ctx, layout!(receive_reset.skaddr));
        ours(port, sk, &Fields { ctx: &ctx, layout: layout!(receive_reset.tuple) });
    }
    0
}

#[inline(always)]
fn ours(port: u16, sk: u64, tuple: &impl Tuple) {
    let Some(owner) = filter::owner_of_socket(port, sk) else { return };
    emit::of_slot(
        owner,
        tuple.flow(),
        &Details { kind: RecordKind::RstReceived, state: 0, old_state: 0, detail: 0 },
    );
}
