//! `tp_btf/tcp_retransmit_synack`: a server on this host, in any network namespace, sends its SYN-ACK
//! again.
//!
//! ```c
//! TP_PROTO(const struct sock *sk, const struct request_sock *req)
//! ```
//!
//! Since 4.16. Emits `SynAckRetransmit`, with the flow as the probe sees it. A BTF tracepoint, because it
//! names the event itself, its arguments are never NULL and it costs least.
//!
//! The namespace is the server's and does not tell whose probe it was. The flow does, except on hosts
//! that use the same addresses in several namespaces. It is therefore evidence beside the agent's own
//! events, never instead of them.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use probe_agent_common::RecordKind;

use crate::{
    emit::{self, Details},
    filter,
    kernel::Typed,
    maps,
    socket::Socket,
};

#[btf_tracepoint]
fn tcp_retransmit_synack(ctx: BtfTracePointContext) -> i32 {
    // The listener knows no client; the request does.
    let request = Socket(Typed(ctx.arg(1)));
    let port = request.remote_port();
    if !maps::is_owned(port) {
        return 0;
    }
    let flow = request.flow().reversed();
    let Some(entry) = maps::port(port) else { return 0 };
    if filter::address_matches(entry, &flow.local) {
        emit::of_flow(
            entry,
            flow,
            &Details { kind: RecordKind::SynAckRetransmit, state: 0, old_state: 0, detail: 0 },
        );
    }
    0
}
