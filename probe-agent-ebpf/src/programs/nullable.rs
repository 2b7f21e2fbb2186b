//! Does the verifier know that the arguments of `tcp_send_reset` may be 0?
//!
//! A kernel that does not (6.2 and later, before the table `raw_tp_null_args` of 6.13 and its backports)
//! takes them for pointers to what is there: it drops a program's own comparison with 0 and lets the
//! load behind it fault. These two load without asking. They are never attached: a kernel that refuses
//! both knows, on any other the hooks of RSTs are the untyped ones.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

use crate::{
    kernel::{Pointer, Typed},
    maps::layout,
};

#[btf_tracepoint]
fn nullable_socket(ctx: BtfTracePointContext) -> i32 {
    Typed(ctx.arg(0)).read::<u16>(layout!(raw.socket.local_port));
    0
}

#[btf_tracepoint]
fn nullable_packet(ctx: BtfTracePointContext) -> i32 {
    Typed(ctx.arg(1)).read::<u16>(layout!(raw.packet.transport));
    0
}
