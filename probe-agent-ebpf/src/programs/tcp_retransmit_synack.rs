//! Tracepoint `tcp:tcp_retransmit_synack`, since 4.16: a server on this host, in whichever network
//! namespace, sends its SYN-ACK again. The kernel's `sport` is the server's.
//!
//! The namespace is the server's and says nothing about whose probe it was; the flow does, up to
//! hosts that use the same addresses in several namespaces. It is therefore evidence beside the
//! agent's own events, never instead of them.

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use probe_agent_common::{Counter, EventKind};

use crate::{
    emit::{self, Details},
    filter,
    maps::{self, layout},
    tuple::{self, field},
};

#[tracepoint]
fn tcp_retransmit_synack(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(retransmit_synack.tuple.dport));
    if maps::port(port).is_some() {
        ours(&ctx, port);
    }
    0
}

#[inline(always)]
fn ours(ctx: &TracePointContext, port: u16) {
    let flow = tuple::flow(ctx, layout!(retransmit_synack.tuple)).reversed();
    let Some(entry) = maps::port(port) else { return };
    if !filter::address_matches(entry, &flow.local) {
        maps::count(Counter::Foreign);
        return;
    }
    emit::of_flow(
        flow,
        &Details { kind: EventKind::SynAckRetransmit, state: 0, old_state: 0, detail: 0 },
    );
}
