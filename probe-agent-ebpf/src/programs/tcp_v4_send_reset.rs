//! `fentry/tcp_v4_send_reset`: a RST over IPv4 that answers a packet. The second choice, where the
//! tracepoint `tcp_send_reset` cannot be used: before 6.10 it does not fire without a socket, and from
//! 6.2 until `raw_tp_null_args` (6.13 and backports) it is not safe.
//!
//! ```c
//! static void tcp_v4_send_reset(const struct sock *sk /* may be NULL */, struct sk_buff *skb,
//!                               enum sk_rst_reason reason /* since 6.10 */);
//! ```
//!
//! fentry since 5.5. The verifier does not trust the arguments of a function: a check for NULL stays, and
//! a load that faults yields 0. Emits `RstSent`, with or without a socket.
//!
//! The function returns without a RST in some cases. Only the first is told apart, because only that is
//! usual:
//! - the answered packet is itself a RST;
//! - there is no socket, and the packet was not sent to a unicast address of this host;
//! - the listener has TCP-MD5 or TCP-AO keys, and the packet is not signed with one of them;
//! - IPv6 only: there is no memory or no route for the answer.

use aya_ebpf::{macros::fentry, programs::FEntryContext};
use probe_agent_common::ABSENT;

use crate::{kernel::Typed, maps::layout, packet, reset};

#[fentry]
fn tcp_v4_send_reset(ctx: FEntryContext) -> i32 {
    let (sk, skb) = (Typed(ctx.arg(0)), Typed(ctx.arg(1)));
    if !packet::is_rst(skb) {
        reset::answer(sk, skb, || {
            // The verifier refuses a program that reads an argument that is not there.
            if layout!(v4_reset_reason) == ABSENT { -1 } else { ctx.arg(2) }
        });
    }
    0
}
