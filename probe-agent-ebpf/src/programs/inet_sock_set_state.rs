//! Tracepoint `sock:inet_sock_set_state`, since 4.16: `skaddr`, `oldstate`, `newstate`, the 4-tuple.
//! Raw: `sk`, `oldstate`, `newstate`.
//!
//! Every socket of the host passes it. Where the agent has a cgroup, `sock_ops` takes its place.

use aya_ebpf::{
    EbpfContext,
    macros::{btf_tracepoint, tracepoint},
    programs::{BtfTracePointContext, TracePointContext},
};
use probe_agent_common::{ABSENT, PortEntry};

use super::{CLOSE, SYN_SENT};
use crate::{
    filter,
    kernel::{self, Pointer, Typed, Untyped},
    maps::{self, layout},
    socket::Socket,
    transition::{self, Counts, Transition},
    tuple::{Fields, Tuple, field},
};

const IPPROTO_TCP: u16 = 6;

/// A change of state on one of the agent's ports.
struct Change<P> {
    port: u16,
    sk: P,
    from: i32,
    to: i32,
    protocol: u16,
}

#[btf_tracepoint]
fn raw_inet_sock_set_state(ctx: BtfTracePointContext) -> i32 {
    let sk = Typed(ctx.arg(0));
    let socket = Socket(sk);
    let port = socket.local_port();
    if maps::is_owned(port) {
        let (from, to) = (ctx.arg(1), ctx.arg(2));
        ours(&ctx, &Change { port, sk, from, to, protocol: socket.protocol() }, &socket);
    }
    0
}

#[tracepoint]
fn inet_sock_set_state(ctx: TracePointContext) -> u32 {
    let port = field::<u16>(&ctx, layout!(set_state.tuple.sport));
    if maps::is_owned(port) {
        // `protocol` also names MPTCP and SCTP; before 5.6 it was a byte at the same place.
        let protocol = layout!(set_state.protocol);
        let change = Change {
            port,
            sk: Untyped(field(&ctx, layout!(set_state.skaddr))),
            from: field(&ctx, layout!(set_state.old_state)),
            to: field(&ctx, layout!(set_state.new_state)),
            protocol: if protocol == ABSENT {
                IPPROTO_TCP
            } else {
                field::<u16>(&ctx, protocol) & 0xff
            },
        };
        ours(&ctx, &change, &Fields { ctx: &ctx, layout: layout!(set_state.tuple) });
    }
    0
}

#[inline(always)]
fn ours(ctx: &impl EbpfContext, change: &Change<impl Pointer>, tuple: &impl Tuple) {
    if (change.from, change.to) != (CLOSE, SYN_SENT) {
        let Change { port, sk, from, to, .. } = *change;
        let transition = Transition { port, sk: sk.address(), from, to };
        transition::noted(ctx, &transition, || tuple.flow(), &Members(sk));
    } else if let Some(entry) = maps::port(change.port)
        && is_slots(entry, change, tuple)
    {
        transition::begun(entry, change.sk.address());
    }
}

/// Whether the socket of a SYN is the slot's, and no other that has the same port. It is told by
/// address and network namespace: no raw tracepoint or record has the socket's cookie.
#[inline(always)]
fn is_slots(entry: &PortEntry, change: &Change<impl Pointer>, tuple: &impl Tuple) -> bool {
    change.protocol == IPPROTO_TCP
        && filter::address_matches(entry, &tuple.local())
        && kernel::socket_in_our_netns(change.sk)
}

/// The counts of a socket, by the offsets of BTF.
struct Members<P>(P);

impl<P: Pointer> Counts for Members<P> {
    #[inline(always)]
    fn segments_out(&self) -> u32 {
        kernel::segments_out(self.0)
    }

    #[inline(always)]
    fn retransmits(&self) -> u32 {
        kernel::retransmits(self.0)
    }
}
