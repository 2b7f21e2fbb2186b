//! `tp_btf/tcp_retransmit_skb`: a socket sent a segment again; in `SYN_SENT` that is the SYN.
//!
//! ```c
//! TP_PROTO(const struct sock *sk, const struct sk_buff *skb, int err /* since 6.17 */)
//! ```
//!
//! Since 4.15; before 6.17 it fires only where the transmission succeeded. Emits `SegmentRetransmit`. A
//! BTF tracepoint, because it names the event itself, its socket is never NULL and it costs least.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use probe_agent_common::{ABSENT, RecordKind};

use crate::{
    emit::{self, Details},
    filter,
    kernel::Typed,
    maps::layout,
    socket::Socket,
};

#[btf_tracepoint]
fn tcp_retransmit_skb(ctx: BtfTracePointContext) -> i32 {
    let sk = Typed(ctx.arg(0));
    let socket = Socket(sk);
    let Some(owner) = filter::owner_of_socket(socket.local_port(), sk.address()) else { return 0 };
    // The verifier refuses a program that reads an argument that is not there.
    let error = if layout!(retransmit_error) == ABSENT { 0 } else { ctx.arg(2) };
    let details = Details {
        state: socket.state(),
        detail: error,
        ..Details::of(RecordKind::SegmentRetransmit)
    };
    emit::of_slot(owner, socket.flow(), &details);
    0
}
