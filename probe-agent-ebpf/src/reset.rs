//! What is reported of a RST that this host sends, for whichever hooks see it: `tcp_send_reset`, or
//! `tcp_send_active_reset`, `tcp_v4_send_reset` and `tcp_v6_send_reset`.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use probe_agent_common::{Counter, RecordKind};

use crate::{
    emit::{self, Details},
    filter,
    kernel::{self, Typed},
    maps,
    packet::{Headers, Segment},
    socket::Socket,
    tcp_state::CLOSE,
};

/// A RST of the socket `sk` that answers nothing. That of a probe's close is noted in its slot's record.
#[inline(always)]
pub(crate) fn active(sk: Typed, reason: impl Fn() -> i32) {
    let socket = Socket(sk);
    let owner = filter::owner_of_socket(socket.local_port(), sk.address());
    if owner.is_some() || kernel::socket_in_our_netns(sk) {
        maps::count(Counter::RstsSeen);
    }
    let Some(owner) = owner else { return };
    let state = socket.state();
    if i32::from(state) == CLOSE {
        // SAFETY: the helper has no preconditions.
        owner.record.rst_sent_at = unsafe { bpf_ktime_get_ns() };
        owner.record.rst_reason = reason();
    } else {
        emit::of_slot(owner, socket.flow(), &details(state, reason(), Segment::UNKNOWN));
    }
}

/// A RST that answers the packet `skb`. `sk` is 0 where the kernel found no socket for it. Two cases
/// matter:
/// - a socket in `SYN_SENT`: a challenge ACK or a late SYN-ACK met this probe;
/// - no socket: a SYN-ACK came after the probe had ended.
#[inline(always)]
pub(crate) fn answer(sk: Typed, skb: Typed, reason: impl Fn() -> i32) {
    if !in_our_netns(sk, skb) {
        return;
    }
    maps::count(Counter::RstsSeen);
    if sk.address() == 0 {
        without_socket(skb, reason);
        return;
    }
    let socket = Socket(sk);
    if let Some(owner) = filter::owner_of_socket(socket.local_port(), sk.address()) {
        let segment = Headers::of(skb).map_or(Segment::UNKNOWN, Headers::segment);
        emit::of_slot(owner, socket.flow(), &details(socket.state(), reason(), segment));
    }
}

/// Whether the network namespace that counts the answer is the agent's.
///
/// Asked before anything else: the verifier takes milliseconds for each place where a packet is
/// followed to its namespace, and for each way that leads there.
#[inline(always)]
fn in_our_netns(sk: Typed, skb: Typed) -> bool {
    if sk.address() == 0 {
        kernel::packet_in_our_netns(skb)
    } else {
        kernel::socket_in_our_netns(sk)
    }
}

/// No slot's socket is part of this RST of the agent's namespace, so the address is compared here.
#[inline(always)]
fn without_socket(skb: Typed, reason: impl Fn() -> i32) {
    let Some(headers) = Headers::of(skb) else { return };
    let port = headers.destination_port();
    if !maps::is_owned(port) {
        return;
    }
    let (Some(entry), Some(flow)) = (maps::port(port), headers.flow(0)) else { return };
    if filter::address_matches(entry, &flow.local) {
        emit::of_flow(entry, flow, &details(0, reason(), headers.segment()));
    }
}

#[inline(always)]
fn details(state: u8, reason: i32, segment: Segment) -> Details {
    Details { state, detail: reason, segment, ..Details::of(RecordKind::RstSent) }
}
