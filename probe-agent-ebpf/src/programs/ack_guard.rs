//! `cgroup_skb/egress` on the agent's cgroup: a half-open handshake stays half-open.
//!
//! ```c
//! int BPF_CGROUP_RUN_PROG_INET_EGRESS(struct sock *, struct sk_buff *);  /* the context: struct __sk_buff */
//! ```
//!
//! Since 4.10; the socket's cookie since 5.7. Needs a cgroup v2 and no BTF. Emits `AckHeldBack`. The only
//! kind of hook that can drop the packets of one process's sockets and sees no others.
//!
//! The stack would acknowledge the SYN-ACK when the delayed-ACK timer ends (some 200 ms), or at once
//! when the server sends its SYN-ACK twice; either ACK makes the server's `accept()` return a dead
//! connection. This program drops a bare ACK of a probe's socket and lets everything else pass. A
//! RST without a socket does not come from the cgroup and is not touched.

use aya_ebpf::{helpers::bpf_get_socket_cookie, macros::cgroup_skb, programs::SkBuffContext};
use probe_agent_common::{Counter, FlowKey, RecordKind, v4_mapped};

use crate::{
    emit::{self, Details},
    filter, maps,
};

const PASS: i32 = 1;
const DROP: i32 = 0;

const IPPROTO_TCP: u8 = 6;

/// An IPv6 header.
const IPV6: usize = 40;
/// A TCP header without options.
const TCP: usize = 20;
/// No TCP packet of either family is shorter.
const SHORTEST: usize = 40;

/// FIN, SYN, RST, PSH and ACK; a bare ACK has only the last of them (RFC 9293, section 3.1).
const FLAGS: u8 = 0x1f;
const ACK: u8 = 0x10;

#[cgroup_skb]
fn ack_guard(ctx: SkBuffContext) -> i32 {
    match bare_ack(&ctx) {
        Some(at) => guard(&ctx, at),
        None => PASS,
    }
}

/// Drops a bare ACK, whose TCP header is `at`, if a slot's socket sent it.
#[inline(always)]
fn guard(ctx: &SkBuffContext, at: usize) -> i32 {
    let Some(flow) = flow(ctx, at) else { return PASS };
    let Some(owner) = filter::owner(flow.local_port) else { return PASS };
    let Some(entry) = maps::port(flow.local_port) else { return PASS };
    // SAFETY: the context is that of a cgroup_skb program, which may call the helper.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.skb.skb.cast()) };
    if entry.cookie == 0 || entry.cookie != cookie {
        return PASS;
    }
    maps::count(Counter::AcksHeld);
    owner.record.acks_held += 1;
    emit::of_slot(owner, flow, &Details::of(RecordKind::AckHeldBack));
    DROP
}

/// Where the TCP header is in a packet that is a bare ACK; `None` for any other packet.
///
/// Every SYN and RST of a probe comes this far, so the bytes are read in place: the stack has put the
/// headers into the linear part, and a helper call for each byte would take longer than all the rest.
#[inline(always)]
fn bare_ack(ctx: &SkBuffContext) -> Option<usize> {
    let ip = Bytes::of(ctx, 0, SHORTEST)?;
    let (protocol, length, total) = match ip.byte(0) >> 4 {
        4 => (ip.byte(9), usize::from(ip.byte(0) & 0x0f) * 4, usize::from(ip.word(2))),
        // The probe's own stack puts no extension header before TCP.
        6 => (ip.byte(6), IPV6, IPV6 + usize::from(ip.word(4))),
        _ => return None,
    };
    if protocol != IPPROTO_TCP {
        return None;
    }
    let tcp = Bytes::of(ctx, length, TCP)?;
    let is_bare = total == length + usize::from(tcp.byte(12) >> 4) * 4;
    (tcp.byte(13) & FLAGS == ACK && is_bare).then_some(length)
}

/// Bytes of a packet that may be read.
struct Bytes(usize);

impl Bytes {
    /// Those from `at` on; `None` if there are fewer than `count`.
    #[inline(always)]
    fn of(ctx: &SkBuffContext, at: usize, count: usize) -> Option<Self> {
        // SAFETY: the context is that of a cgroup_skb program, which the kernel made.
        let (start, end) = unsafe { ((*ctx.skb.skb).data, (*ctx.skb.skb).data_end) };
        let start = start as usize + at;
        (start + count <= end as usize).then_some(Self(start))
    }

    /// One of them.
    #[inline(always)]
    fn byte(&self, at: usize) -> u8 {
        // SAFETY: the verifier admits the load only if `of` has checked that this byte is there.
        unsafe { *((self.0 + at) as *const u8) }
    }

    /// Two of them, in network order.
    #[inline(always)]
    fn word(&self, at: usize) -> u16 {
        u16::from_be_bytes([self.byte(at), self.byte(at + 1)])
    }
}

/// The flow of a packet whose TCP header is `at`.
#[inline(always)]
fn flow(ctx: &SkBuffContext, at: usize) -> Option<FlowKey> {
    let (local, remote) = if at == IPV6 && ctx.load::<u8>(0).ok()? >> 4 == 6 {
        (ctx.load(8).ok()?, ctx.load(24).ok()?)
    } else {
        (v4_mapped(ctx.load(12).ok()?), v4_mapped(ctx.load(16).ok()?))
    };
    let port = |at| ctx.load(at).ok().map(u16::from_be_bytes);
    Some(FlowKey { local, remote, local_port: port(at)?, remote_port: port(at + 2)? })
}
