//! `tp_btf/tcp_send_reset`: the kernel sends a RST. The first choice for RSTs.
//!
//! ```c
//! TP_PROTO(const struct sock *sk /* may be NULL */, const struct sk_buff *skb /* may be NULL */,
//!          const enum sk_rst_reason reason /* since 6.10 */)
//! ```
//!
//! Since 4.15; used only where it has a reason (before 6.10 it does not fire without a socket) and where
//! the verifier knows that the arguments may be NULL (`raw_tp_null_args`, 6.13 and backports). A kernel
//! without that (6.2 and later) removes a program's own check for NULL and lets the load behind it fault.
//! For all others there are `tcp_send_active_reset`, `tcp_v4_send_reset` and `tcp_v6_send_reset`.
//!
//! A BTF tracepoint, because it names the event itself: it fires once for each RST that is made, even if
//! netfilter then drops it. Emits `RstSent`; the RST of a probe's close is noted in its slot's record.
//!
//! There are two programs, one for RSTs that answer nothing and one for answers: the kernel skips a
//! program that is already running on that CPU, and a RST that a server's timer causes while a probe
//! closes must not be missed.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};

use crate::{kernel::Typed, reset};

/// A RST that answers nothing: a socket's own close.
#[btf_tracepoint]
fn tcp_send_reset(ctx: BtfTracePointContext) -> i32 {
    let (sk, skb) = (Typed(ctx.arg(0)), Typed(ctx.arg(1)));
    if skb.address() == 0 && sk.address() != 0 {
        reset::active(sk, || ctx.arg(2));
    }
    0
}

/// A RST that answers a packet.
#[btf_tracepoint]
fn tcp_send_reset_answer(ctx: BtfTracePointContext) -> i32 {
    let (sk, skb) = (Typed(ctx.arg(0)), Typed(ctx.arg(1)));
    if skb.address() != 0 {
        reset::answer(sk, skb, || ctx.arg(2));
    }
    0
}
