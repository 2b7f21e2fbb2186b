//! `fentry/tcp_send_active_reset`: a RST that answers nothing, such as that of a socket's own close. The
//! second choice, where the tracepoint `tcp_send_reset` cannot be used: see `tcp_v4_send_reset`.
//!
//! ```c
//! void tcp_send_active_reset(struct sock *sk, gfp_t priority,
//!                            enum sk_rst_reason reason /* since 6.10 */);
//! ```
//!
//! fentry since 5.5. Emits `RstSent`; the RST of a probe's close is noted in its slot's record. The
//! function counts the RST (`OutRsts`), then makes and sends it.

use aya_ebpf::{macros::fentry, programs::FEntryContext};
use probe_agent_common::ABSENT;

use crate::{kernel::Typed, maps::layout, reset};

#[fentry]
fn tcp_send_active_reset(ctx: FEntryContext) -> i32 {
    reset::active(Typed(ctx.arg(0)), || {
        // The verifier refuses a program that reads an argument that is not there.
        if layout!(active_reset_reason) == ABSENT { -1 } else { ctx.arg(2) }
    });
    0
}
