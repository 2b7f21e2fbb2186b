//! Tracepoint `tcp:tcp_retransmit_skb`, since 4.15: `skaddr`, `state`, the 4-tuple, since about
//! 6.17 `err`. In `SYN_SENT` the segment is the SYN.

use aya_ebpf::{macros::tracepoint, programs::TracePointContext};
use probe_agent_common::{ABSENT, EventKind};

use crate::{
    emit::{self, Details},
    filter,
    maps::{self, layout},
    tuple::{self, field},
};

#[tracepoint]
fn tcp_retransmit_skb(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(retransmit_skb.tuple.sport));
    if maps::port(port).is_some() {
        ours(&ctx, port);
    }
    0
}

#[inline(always)]
fn ours(ctx: &TracePointContext, port: u16) {
    let sk = field::<u64>(ctx, layout!(retransmit_skb.skaddr));
    let Some(owner) = filter::owner_of_socket(port, sk) else { return };
    let flow = tuple::flow(ctx, layout!(retransmit_skb.tuple));
    let offset = layout!(retransmit_skb.err);
    emit::of_slot(
        owner,
        flow,
        &Details {
            kind: EventKind::SegmentRetransmit,
            state: field::<i32>(ctx, layout!(retransmit_skb.state)) as u8,
            old_state: 0,
            detail: if offset == ABSENT { 0 } else { field(ctx, offset) },
        },
    );
}
