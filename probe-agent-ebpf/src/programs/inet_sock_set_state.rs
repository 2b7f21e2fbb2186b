//! `tp_btf/inet_sock_set_state`: a socket changes its state. The second choice for changes of state.
//!
//! ```c
//! TP_PROTO(const struct sock *sk, const int oldstate, const int newstate)
//! ```
//!
//! Since 4.16. Fills the slot's record; emits `StateChange` for what a clean probe does not do.
//!
//! Every socket of the host passes here, so `sock_ops` is preferred: only the agent's own sockets pass
//! that. This program is attached only where `sock_ops` cannot be used: without a cgroup of our own,
//! where the cgroup's programs do not see our sockets (before 5.15 with cgroup v1's net_cls or net_prio),
//! or beside a foreign `sock_ops` program, which may turn off the callbacks.

use aya_ebpf::{
    helpers::generated::bpf_skc_to_tcp_sock, macros::btf_tracepoint, programs::BtfTracePointContext,
};
use probe_agent_common::{ABSENT, FlowKey, PortEntry};

use crate::{
    filter,
    kernel::{self, Pointer as _, Typed},
    maps::{self, layout},
    socket::Socket,
    tcp_state::{CLOSE, SYN_SENT},
    transition::{self, Counts, Remote, Transition},
};

const IPPROTO_TCP: u16 = 6;

#[btf_tracepoint]
fn inet_sock_set_state(ctx: BtfTracePointContext) -> i32 {
    let sk = Typed(ctx.arg(0));
    let socket = Socket(sk);
    let port = socket.local_port();
    if !maps::is_owned(port) {
        return 0;
    }
    let (from, to) = (ctx.arg(1), ctx.arg(2));
    if (from, to) != (CLOSE, SYN_SENT) {
        let transition = Transition { port, sk: sk.address(), from, to };
        transition::on_state_change(&ctx, &transition, || socket.flow(), &TcpSock(sk));
    } else if let Some(entry) = maps::port(port)
        && is_slots(entry, socket)
    {
        let FlowKey { remote: address, remote_port: port, .. } = socket.flow();
        transition::on_connect(entry, sk.address(), &Remote { address, port });
    }
    0
}

/// Whether the socket of a SYN is the slot's, and no other that has the same port. Address and network
/// namespace decide: a tracepoint cannot ask for the socket's cookie.
#[inline(always)]
fn is_slots(entry: &PortEntry, socket: Socket) -> bool {
    socket.protocol() == IPPROTO_TCP
        && filter::address_matches(entry, &socket.local())
        && kernel::socket_in_our_netns(socket.0)
}

/// The counts of a TCP socket, which to the verifier is a `struct sock` only until it is cast (helper
/// since 5.9).
struct TcpSock(Typed);

impl TcpSock {
    #[inline(always)]
    fn read(&self, member: u16) -> u32 {
        if member == ABSENT {
            return 0;
        }
        // SAFETY: the helper checks that the socket is a full TCP socket, and returns 0 if not.
        let tcp = unsafe { bpf_skc_to_tcp_sock(self.0.address() as *mut _) };
        if tcp.is_null() { 0 } else { Typed(tcp as u64).read(member) }
    }
}

impl Counts for TcpSock {
    #[inline(always)]
    fn segments_out(&self) -> u32 {
        self.read(layout!(tcp.segs_out))
    }

    #[inline(always)]
    fn retransmits(&self) -> u32 {
        self.read(layout!(tcp.total_retrans))
    }

    #[inline(always)]
    fn snd_nxt(&self) -> u32 {
        self.read(layout!(tcp.snd_nxt))
    }

    #[inline(always)]
    fn rcv_nxt(&self) -> u32 {
        self.read(layout!(tcp.rcv_nxt))
    }

    #[inline(always)]
    fn srtt_us(&self) -> u32 {
        self.read(layout!(tcp.srtt_us))
    }
}
