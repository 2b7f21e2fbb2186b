//! `tp_btf/kfree_skb`: the kernel drops a packet.
//!
//! ```c
//! TP_PROTO(struct sk_buff *skb, void *location, enum skb_drop_reason reason /* since 5.17 */,
//!          struct sock *rx_sk /* since 6.11 */)
//! ```
//!
//! Used since 5.17, which gives a reason. Emits `PacketDropped` for a packet of a probe's flow, whichever
//! end sent it and whichever network namespace of this host drops it. A BTF tracepoint, because it names
//! the event itself, its packet is never NULL and it costs least.
//!
//! Every dropped packet of the host passes here. The reason is compared first: userspace leaves out those
//! with which the kernel drops packets in the ordinary course of things (`SOCKET_CLOSE`, ...). Of three more only
//! some packets are reported: a RST that finds no socket, because the target has sent it; a RST that a socket in
//! `SYN_SENT` must ignore, because it acknowledges nothing; and a SYN that is dropped without a reason, because
//! no host drops one in the ordinary course of things.
//!
//! What could be a branch is arithmetic here: the verifier follows every combination of branches, and each
//! goes through some twenty reads.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use probe_agent_common::{
    ABSENT, DROP_OTHER_NETNS, DROP_OUR_NETNS, DROP_OUTGOING, DROP_REASON_WORDS, RecordKind,
};

use crate::{
    emit::{self, Details},
    filter,
    kernel::{self, Pointer as _, Typed},
    maps::{self, layout},
    packet::Headers,
};

#[btf_tracepoint]
fn kfree_skb(ctx: BtfTracePointContext) -> i32 {
    let reason: u32 = ctx.arg(2);
    if is_reported(reason) {
        report(Typed(ctx.arg(0)), reason);
    }
    0
}

/// Whether userspace wants to know of this reason.
#[inline(always)]
fn is_reported(reason: u32) -> bool {
    let word = (reason / 64) as usize;
    // SAFETY: the index is within the array, and nothing writes there while the program runs.
    word < DROP_REASON_WORDS
        && unsafe {
            let words = (&raw const maps::layout_static().drop_reasons).cast::<u64>();
            core::ptr::read_volatile(words.add(word)) >> (reason % 64) & 1 != 0
        }
}

#[inline(always)]
fn report(skb: Typed, reason: u32) {
    let Some(headers) = Headers::of_any(skb) else { return };
    let flags = headers.flags();
    // A segment without a socket is answered, and the hooks for RSTs report that: only a RST is not. Without
    // a reason, kernels free what a socket is done with, the RST that ends a half-open connection among it:
    // only a SYN is dropped. Asked before the addresses are read: each read takes as long as all of this.
    let skipped = equal(reason.into(), layout!(no_socket).into()) & !flags.rst_bit()
        | equal(reason.into(), layout!(not_specified).into()) & !flags.syn_bit()
        | equal(reason.into(), layout!(tcp_reset).into()) & flags.ack_bit();
    if skipped & 1 != 0 {
        return;
    }
    let incoming = u64::from(maps::is_owned(headers.destination_port()) && !is_probes(headers));
    let outgoing = 1 - incoming;
    let Some(entry) = maps::port(headers.local_port(outgoing)) else { return };
    let Some(flow) = headers.flow(outgoing) else { return };
    // A RST of ours that reaches a socket of this host has arrived.
    let has_arrived = equal(reason.into(), layout!(tcp_reset).into()) & outgoing != 0;
    if has_arrived || !filter::address_matches(entry, &flow.local) {
        return;
    }
    let segment = headers.segment();
    let (netns, interface) = place(skb);
    let details = Details {
        state: netns | outgoing as u8 * DROP_OUTGOING,
        detail: reason as i32,
        place: interface,
        segment,
        ..Details::of(RecordKind::PacketDropped)
    };
    emit::of_flow(entry, flow, &details);
}

/// Whether a slot sends this packet to where it probes. That decides where the ports of both ends are slots': a
/// target may have the port of another slot, or that of the probe itself.
#[inline(always)]
fn is_probes(headers: Headers) -> bool {
    let port = headers.local_port(1);
    if !maps::is_owned(port) {
        return false;
    }
    let (Some(entry), Some(flow)) = (maps::port(port), headers.flow(1)) else { return false };
    filter::address_matches(entry, &flow.local) && filter::is_probing(entry, &flow)
}

/// 1 if two numbers are the same, else 0: without a branch.
#[inline(always)]
fn equal(a: u64, b: u64) -> u64 {
    let difference = a ^ b;
    // The topmost bit of `x | -x` is set unless x is 0.
    1 ^ (difference | difference.wrapping_neg()) >> 63
}

/// Which network namespace has the packet, and the index of its interface; 0 if it has none.
///
/// A packet that is sent has a socket and, until it is routed, no interface. A received one may have
/// both, which then belong to the same namespace. The verifier wants each pointer compared with 0.
#[inline(always)]
fn place(skb: Typed) -> (u8, u32) {
    let device = skb.follow(layout!(packet.dev));
    let socket = skb.follow(layout!(packet.sk));
    let has_device = device.address() != 0;
    let has_index = has_device && layout!(dev_index) != ABSENT;
    let index = if has_index { device.read(layout!(dev_index)) } else { 0 };
    let ours = layout!(netns_cookie);
    if ours == 0 {
        return (0, index);
    }
    let cookie = if has_device {
        kernel::net_cookie(device, layout!(dev_net))
    } else if socket.address() != 0 {
        kernel::net_cookie(socket, layout!(socket.net))
    } else {
        0
    };
    let is_ours = equal(cookie, ours);
    let is_other = (1 ^ is_ours) & (1 ^ equal(cookie, 0));
    (is_ours as u8 * DROP_OUR_NETNS | is_other as u8 * DROP_OTHER_NETNS, index)
}
