//! `tp_btf/tcp_receive_reset`: an acceptable RST arrived for a socket.
//!
//! ```c
//! TP_PROTO(struct sock *sk)
//! ```
//!
//! Since 4.16. Emits `RstReceived`, before the socket goes to `CLOSE`. A server's request socket does
//! not pass here. A BTF tracepoint, because it names the event itself, its argument is never NULL and it
//! costs least.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use probe_agent_common::RecordKind;

use crate::{
    emit::{self, Details},
    filter,
    kernel::Typed,
    socket::Socket,
};

#[btf_tracepoint]
fn tcp_receive_reset(ctx: BtfTracePointContext) -> i32 {
    let sk = Typed(ctx.arg(0));
    let socket = Socket(sk);
    let Some(owner) = filter::owner_of_socket(socket.local_port(), sk.address()) else { return 0 };
    emit::of_slot(owner, socket.flow(), &Details::of(RecordKind::RstReceived));
    0
}
