//! Tracepoint `tcp:tcp_retransmit_synack`, since 4.16: a server on this host, in whichever network
//! namespace, sends its SYN-ACK again. Raw: `sk`, `req`. The kernel's `sport` is the server's.
//!
//! The namespace is the server's and says nothing about whose probe it was; the flow does, up to
//! hosts that use the same addresses in several namespaces. It is therefore evidence beside the
//! agent's own events, never instead of them.

use aya_ebpf::{
    macros::{btf_tracepoint, tracepoint},
    programs::{BtfTracePointContext, TracePointContext},
};
use probe_agent_common::RecordKind;

use crate::{
    emit::{self, Details},
    filter,
    kernel::Typed,
    maps::{self, layout},
    socket::Socket,
    tuple::{Fields, Tuple, field},
};

#[btf_tracepoint]
fn raw_tcp_retransmit_synack(ctx: BtfTracePointContext) -> i32 {
    // The listener knows no client; the request does.
    let request = Socket(Typed(ctx.arg(1)));
    let port = request.remote_port();
    if maps::is_owned(port) {
        ours(port, &request);
    }
    0
}

#[tracepoint]
fn tcp_retransmit_synack(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(retransmit_synack.tuple.dport));
    if maps::is_owned(port) {
        ours(port, &Fields { ctx: &ctx, layout: layout!(retransmit_synack.tuple) });
    }
    0
}

#[inline(always)]
fn ours(port: u16, tuple: &impl Tuple) {
    let flow = tuple.flow().reversed();
    let Some(entry) = maps::port(port) else { return };
    if filter::address_matches(entry, &flow.local) {
        emit::of_flow(
            flow,
            &Details { kind: RecordKind::SynAckRetransmit, state: 0, old_state: 0, detail: 0 },
        );
    }
}
