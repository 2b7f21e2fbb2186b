//! `sock_ops` on the agent's cgroup: the changes of state of the agent's own sockets. The first choice
//! for changes of state: other processes' connections do not pass here, and the kernel never skips it.
//!
//! ```c
//! int BPF_CGROUP_RUN_PROG_SOCK_OPS(struct bpf_sock_ops_kern *);   /* the context: struct bpf_sock_ops */
//! ```
//!
//! `TCP_CONNECT_CB` (since 4.13) comes just before the SYN leaves; it asks for `STATE_CB` (since 4.16),
//! which comes with every later transition (`tcp_set_state`). Needs a cgroup v2 and no BTF. Fills the
//! slot's record; emits `StateChange` for what a clean probe does not do.
//!
//! The program is not called `sock_ops`: userspace tells its own programs from others by the name.

use aya_ebpf::{
    bindings::{
        BPF_SOCK_OPS_STATE_CB, BPF_SOCK_OPS_STATE_CB_FLAG, BPF_SOCK_OPS_TCP_CONNECT_CB,
        BPF_SOCK_OPS_TCP_LISTEN_CB, bpf_sock_ops,
    },
    helpers::bpf_get_socket_cookie,
    macros::sock_ops,
    programs::SockOpsContext,
};
use probe_agent_common::{Counter, FlowKey, v4_mapped};

use crate::{
    address::{AF_INET, v6},
    maps,
    tcp_state::{CLOSE, SYN_SENT},
    transition::{self, Counts, Transition},
};

/// What the kernel would do without this program.
const GO_ON: u32 = 1;

#[sock_ops]
fn probe_sock_ops(ctx: SockOpsContext) -> u32 {
    let of = Of(ctx.ops);
    match of.op() {
        BPF_SOCK_OPS_TCP_CONNECT_CB => connecting(&ctx, &of),
        BPF_SOCK_OPS_STATE_CB => {
            let (from, to) = (of.argument(0) as i32, of.argument(1) as i32);
            // A slot that was used before has asked for this already; its probe begins with `CONNECT_CB`.
            if (from, to) != (CLOSE, SYN_SENT) {
                let change = Transition { port: of.local_port(), sk: of.sk(), from, to };
                transition::on_state_change(&ctx, &change, || of.flow(), &of);
            }
        }
        // The agent listens for a moment to find out whether its sockets pass here.
        BPF_SOCK_OPS_TCP_LISTEN_CB => maps::count(Counter::ListensSeen),
        _ => {}
    }
    GO_ON
}

#[inline(always)]
fn connecting(ctx: &SockOpsContext, of: &Of) {
    let port = of.local_port();
    if !maps::is_owned(port) {
        return;
    }
    let Some(entry) = maps::port(port) else { return };
    // SAFETY: the context is that of a sock_ops program, which may call the helper.
    let cookie = unsafe { bpf_get_socket_cookie(ctx.ops.cast()) };
    if entry.cookie != cookie {
        return;
    }
    // A slot that was used before has asked already. Programs on cgroups above may want callbacks, too.
    let flags = of.flags();
    if flags & BPF_SOCK_OPS_STATE_CB_FLAG != 0
        || ctx.set_cb_flags((flags | BPF_SOCK_OPS_STATE_CB_FLAG) as i32).is_ok()
    {
        transition::on_connect(entry, of.sk());
    }
}

/// The socket of a context.
struct Of(*mut bpf_sock_ops);

/// Reads one member of the context.
///
/// Volatile, so that no two reads are made into one: the verifier admits each with its own length only.
macro_rules! read {
    ($of:expr, $($member:tt)+) => {
        // SAFETY: the pointer is the context, which lives as long as the program runs.
        unsafe { core::ptr::read_volatile(&raw const (*$of.0).$($member)+) }
    };
}

impl Of {
    #[inline(always)]
    fn op(&self) -> u32 {
        read!(self, op)
    }

    #[inline(always)]
    fn argument(&self, at: usize) -> u32 {
        read!(self, __bindgen_anon_1.args[at])
    }

    #[inline(always)]
    fn flags(&self) -> u32 {
        read!(self, bpf_sock_ops_cb_flags)
    }

    /// Address of the kernel's `struct sock`.
    #[inline(always)]
    fn sk(&self) -> u64 {
        (read!(self, __bindgen_anon_2.sk)) as u64
    }

    #[inline(always)]
    fn local_port(&self) -> u16 {
        read!(self, local_port) as u16
    }

    /// All words are read, of either family: were each family's read in a branch of its own, the compiler
    /// would make one load of two, from an address that it works out, and the verifier refuses that of a
    /// context.
    #[inline(always)]
    fn flow(&self) -> FlowKey {
        let is_v4 = read!(self, family) == u32::from(AF_INET);
        let v4 = [read!(self, local_ip4), read!(self, remote_ip4)];
        let local = [
            read!(self, local_ip6[0]),
            read!(self, local_ip6[1]),
            read!(self, local_ip6[2]),
            read!(self, local_ip6[3]),
        ];
        let remote = [
            read!(self, remote_ip6[0]),
            read!(self, remote_ip6[1]),
            read!(self, remote_ip6[2]),
            read!(self, remote_ip6[3]),
        ];
        let [local, remote] = if is_v4 {
            v4.map(|address| v4_mapped(address.to_ne_bytes()))
        } else {
            [local, remote].map(v6)
        };
        // Unlike the local port it is in network order.
        let remote_port = u32::from_be(read!(self, remote_port)) as u16;
        FlowKey { local, remote, local_port: self.local_port(), remote_port }
    }
}

impl Counts for Of {
    #[inline(always)]
    fn segments_out(&self) -> u32 {
        read!(self, segs_out)
    }

    #[inline(always)]
    fn retransmits(&self) -> u32 {
        read!(self, total_retrans)
    }
}
