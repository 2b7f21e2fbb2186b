//! `fentry/tcp_v6_send_reset`: a RST over IPv6 that answers a packet.
//!
//! ```c
//! static void tcp_v6_send_reset(const struct sock *sk /* may be NULL */, struct sk_buff *skb,
//!                               enum sk_rst_reason reason /* since 6.10 */);
//! ```
//!
//! Everything else is as in `tcp_v4_send_reset`.

use aya_ebpf::{macros::fentry, programs::FEntryContext};
use probe_agent_common::ABSENT;

use crate::{kernel::Typed, maps::layout, packet, reset};

#[fentry]
fn tcp_v6_send_reset(ctx: FEntryContext) -> i32 {
    let (sk, skb) = (Typed(ctx.arg(0)), Typed(ctx.arg(1)));
    if !packet::is_rst(skb) {
        reset::answer(sk, skb, || {
            // The verifier refuses a program that reads an argument that is not there.
            if layout!(v6_reset_reason) == ABSENT { -1 } else { ctx.arg(2) }
        });
    }
    0
}
