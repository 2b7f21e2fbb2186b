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
//! with which the kernel drops packets in the ordinary course of things (`TCP_RESET`, ...). Of two more only
//! some packets are reported: a RST that finds no socket, because the target has sent it, and a SYN that is
//! dropped without a reason, because no host drops one in the ordinary course of things.

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
    const { assert!(DROP_REASON_WORDS == 4) };
    let word = match reason / 64 {
        0 => layout!(drop_reasons[0]),
        1 => layout!(drop_reasons[1]),
        2 => layout!(drop_reasons[2]),
        3 => layout!(drop_reasons[3]),
        _ => 0,
    };
    word >> (reason % 64) & 1 != 0
}

#[inline(always)]
fn report(skb: Typed, reason: u32) {
    let Some(headers) = Headers::of_any(skb) else { return };
    // Only one end of a flow is a probe's, unless a probe is sent to another probe's port.
    let (port, outgoing) = if maps::is_owned(headers.local_port()) {
        (headers.local_port(), false)
    } else if maps::is_owned(headers.remote_port()) {
        (headers.remote_port(), true)
    } else {
        return;
    };
    let (Some(entry), Some(flow)) = (maps::port(port), headers.flow(outgoing)) else { return };
    if !filter::address_matches(entry, &flow.local) {
        return;
    }
    let segment = headers.segment();
    if reason == u32::from(layout!(no_socket)) && !segment.is_rst() {
        // The kernel answers it, and the hooks for RSTs report that.
        return;
    }
    if reason == u32::from(layout!(not_specified)) && !segment.is_syn() {
        // Older kernels give no reason where a socket is done with a packet.
        return;
    }
    let (netns, interface) = place(skb);
    let details = Details {
        state: netns | if outgoing { DROP_OUTGOING } else { 0 },
        detail: reason as i32,
        place: interface,
        segment,
        ..Details::of(RecordKind::PacketDropped)
    };
    emit::of_flow(entry, flow, &details);
}

/// Which network namespace has the packet, and the index of its interface; 0 if it has none.
///
/// A packet that is sent has a socket and, until it is routed, no interface. A received one may have
/// both, which then belong to the same namespace.
#[inline(always)]
fn place(skb: Typed) -> (u8, u32) {
    let device = skb.follow(layout!(packet.dev));
    let has_device = device.address() != 0;
    let index = if has_device && layout!(dev_index) != ABSENT {
        device.read(layout!(dev_index))
    } else {
        0
    };
    let ours = layout!(netns_cookie);
    if ours == 0 {
        return (0, index);
    }
    let cookie = if has_device {
        kernel::net_cookie(device, layout!(dev_net))
    } else {
        let socket = skb.follow(layout!(packet.sk));
        if socket.address() == 0 {
            return (0, index);
        }
        kernel::net_cookie(socket, layout!(socket.net))
    };
    (if cookie == ours { DROP_OUR_NETNS } else { DROP_OTHER_NETNS }, index)
}
