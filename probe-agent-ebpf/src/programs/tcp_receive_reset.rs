//! Tracepoint `tcp:tcp_receive_reset`, since 4.16: an acceptable RST arrived for a socket.
//!
//! It fires before the socket goes to `CLOSE`. A server's request socket does not get here.

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use probe_agent_common::EventKind;

use crate::{
    emit::{self, Details},
    filter,
    maps::{self, layout},
    tuple::{self, field},
};

#[tracepoint]
fn tcp_receive_reset(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(receive_reset.tuple.sport));
    if maps::port(port).is_some() {
        ours(&ctx, port);
    }
    0
}

#[inline(always)]
fn ours(ctx: &TracePointContext, port: u16) {
    let sk = field::<u64>(ctx, layout!(receive_reset.skaddr));
    let Some(owner) = filter::owner_of_socket(port, sk) else { return };
    let flow = tuple::flow(ctx, layout!(receive_reset.tuple));
    emit::of_slot(
        owner,
        flow,
        &Details { kind: EventKind::RstReceived, state: 0, old_state: 0, detail: 0 },
    );
}
