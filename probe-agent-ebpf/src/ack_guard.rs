//! `cgroup_skb/egress` on the agent's cgroup: a half-open handshake stays half-open.
//!
//! The stack would acknowledge the SYN-ACK when the delayed-ACK timer ends (some 200 ms), or at once
//! when the server sends its SYN-ACK twice; either ACK makes the server's `accept()` return a dead
//! connection. This program drops a bare ACK of a probe's socket and lets everything else pass. A
//! RST without a socket does not come from the cgroup and is not touched.

use aya_ebpf::{helpers::bpf_get_socket_cookie, macros::cgroup_skb, programs::SkBuffContext};
use probe_agent_common::{Counter, EventKind, FlowKey, v4_mapped};

use crate::{
    emit::{self, Details},
    filter, maps,
};

const PASS: i32 = 1;
const DROP: i32 = 0;

const IPPROTO_TCP: u8 = 6;

/// FIN, SYN, RST, PSH and ACK: of these a bare ACK has the last alone (RFC 9293, section 3.1).
const FLAGS: u8 = 0x1f;
const ACK: u8 = 0x10;

/// The parts of a TCP segment that decide.
struct Segment {
    flow: FlowKey,
    is_bare_ack: bool,
}

#[cgroup_skb]
fn ack_guard(ctx: SkBuffContext) -> i32 {
    match segment(&ctx) {
        Some(segment) if segment.is_bare_ack => guard(&ctx, &segment),
        _ => PASS,
    }
}

/// Drops a bare ACK if a slot's socket sent it.
#[inline(always)]
fn guard(ctx: &SkBuffContext, segment: &Segment) -> i32 {
    let port = segment.flow.local_port;
    let Some(entry) = maps::port(port) else { return PASS };
    // SAFETY: the context is that of a cgroup_skb program, to which the helper is lent.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.skb.skb.cast()) };
    if entry.cookie == 0 || entry.cookie != cookie {
        return PASS;
    }
    let Some(owner) = filter::owner(port) else { return PASS };
    maps::count(Counter::AcksHeld);
    owner.record.acks_held += 1;
    emit::of_slot(
        owner,
        segment.flow,
        &Details { kind: EventKind::AckHeldBack, state: 0, old_state: 0, detail: 0 },
    );
    DROP
}

/// The segment in a packet that starts at its IP header; `None` for anything but TCP.
#[inline(always)]
fn segment(ctx: &SkBuffContext) -> Option<Segment> {
    match ctx.load::<u8>(0).ok()? >> 4 {
        4 => ipv4(ctx),
        6 => ipv6(ctx),
        _ => None,
    }
}

#[inline(always)]
fn ipv4(ctx: &SkBuffContext) -> Option<Segment> {
    let header: [u8; 20] = ctx.load(0).ok()?;
    if header[9] != IPPROTO_TCP {
        return None;
    }
    let length = usize::from(header[0] & 0x0f) * 4;
    let total = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let [.., a, b, c, d, e, f, g, h] = header;
    tcp(ctx, length, total, v4_mapped([a, b, c, d]), v4_mapped([e, f, g, h]))
}

/// The probe's own stack puts no extension header before TCP.
#[inline(always)]
fn ipv6(ctx: &SkBuffContext) -> Option<Segment> {
    const LENGTH: usize = 40;
    let start: [u8; 8] = ctx.load(0).ok()?;
    if start[6] != IPPROTO_TCP {
        return None;
    }
    let payload = usize::from(u16::from_be_bytes([start[4], start[5]]));
    tcp(ctx, LENGTH, LENGTH + payload, ctx.load(8).ok()?, ctx.load(24).ok()?)
}

#[inline(always)]
fn tcp(
    ctx: &SkBuffContext,
    at: usize,
    total: usize,
    local: [u8; 16],
    remote: [u8; 16],
) -> Option<Segment> {
    let header: [u8; 14] = ctx.load(at).ok()?;
    let length = usize::from(header[12] >> 4) * 4;
    Some(Segment {
        flow: FlowKey {
            local,
            remote,
            local_port: u16::from_be_bytes([header[0], header[1]]),
            remote_port: u16::from_be_bytes([header[2], header[3]]),
        },
        is_bare_ack: header[13] & FLAGS == ACK && total == at + length,
    })
}
