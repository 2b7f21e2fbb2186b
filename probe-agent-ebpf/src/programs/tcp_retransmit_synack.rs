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
//! that use the same addresses in several namespaces; there the sequence numbers do.

use aya_ebpf::{
    helpers::generated::bpf_skc_to_tcp_request_sock, macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use probe_agent_common::{ABSENT, RecordKind};

use crate::{
    emit::{self, Details},
    filter,
    kernel::{Pointer as _, Typed},
    maps::{self, layout},
    packet::Segment,
    socket::Socket,
};

/// SYN and ACK in byte 13 of a TCP header.
const SYN_ACK: u8 = 0x12;

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
        let segment = synack(ctx.arg(1));
        emit::of_flow(
            entry,
            flow,
            &Details { segment, ..Details::of(RecordKind::SynAckRetransmit) },
        );
    }
    0
}

/// The SYN-ACK of a request, which to the verifier is a `struct request_sock` only until it is cast
/// (helper since 5.9).
#[inline(always)]
fn synack(request: u64) -> Segment {
    let (client, server) = (layout!(tcp.request_rcv_isn), layout!(tcp.request_snt_isn));
    if client == ABSENT || server == ABSENT {
        return Segment::UNKNOWN;
    }
    // SAFETY: the helper checks that the socket is a TCP request socket, and returns 0 if not.
    let request = unsafe { bpf_skc_to_tcp_request_sock(request as *mut _) };
    if request.is_null() {
        return Segment::UNKNOWN;
    }
    let request = Typed(request as u64);
    let client: u32 = request.read(client);
    Segment { flags: SYN_ACK, seq: request.read(server), ack: client.wrapping_add(1) }
}
