//! `sock_ops` on the agent's cgroup: the changes of state of the agent's own sockets. The first choice
//! for changes of state: other processes' connections do not pass here, and the kernel never skips it.
//!
//! ```c
//! int BPF_CGROUP_RUN_PROG_SOCK_OPS(struct bpf_sock_ops_kern *);   /* the context: struct bpf_sock_ops */
//! ```
//!
//! `TCP_CONNECT_CB` (since 4.13) comes just before the SYN leaves. It asks for `STATE_CB` (since 4.16),
//! which comes with every later transition (`tcp_set_state`), and for `RETRANS_CB` (since 4.16), which
//! comes with every attempt to send a segment again, whether it fails or not (`__tcp_retransmit_skb`).
//! `ACTIVE_ESTABLISHED_CB` comes with the SYN-ACK, whose header can be read (since 5.10). Needs a cgroup
//! v2 and no BTF. Fills the slot's record; emits `StateChange` and `SegmentRetransmit` for what a clean
//! probe does not do.
//!
//! The program is not called `sock_ops`: userspace tells its own programs from others by the name.

use aya_ebpf::{
    bindings::{
        BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB, BPF_SOCK_OPS_RETRANS_CB, BPF_SOCK_OPS_RETRANS_CB_FLAG,
        BPF_SOCK_OPS_STATE_CB, BPF_SOCK_OPS_STATE_CB_FLAG, BPF_SOCK_OPS_TCP_CONNECT_CB,
        BPF_SOCK_OPS_TCP_LISTEN_CB, bpf_sock_ops,
    },
    helpers::{bpf_get_socket_cookie, bpf_ktime_get_ns},
    macros::sock_ops,
    programs::SockOpsContext,
};
use probe_agent_common::{Counter, FlowKey, RecordKind, v4_mapped};

use crate::{
    address::{AF_INET, v6},
    emit::{self, Details},
    filter, maps,
    tcp_state::{CLOSE, ESTABLISHED, SYN_SENT},
    transition::{self, Counts, Remote, Transition},
};

/// What a slot's socket asks for.
const CALLBACKS: u32 = BPF_SOCK_OPS_STATE_CB_FLAG | BPF_SOCK_OPS_RETRANS_CB_FLAG;

/// What the kernel would do without this program.
const GO_ON: u32 = 1;

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

#[sock_ops]
fn probe_sock_ops(ctx: SockOpsContext) -> u32 {
    let of = Of(ctx.ops);
    match of.op() {
        BPF_SOCK_OPS_TCP_CONNECT_CB => connecting(&ctx, &of),
        BPF_SOCK_OPS_STATE_CB => {
            let (from, to) = (of.argument(0) as i32, of.argument(1) as i32);
            // A slot that was used before has asked for this already; its probe begins with `CONNECT_CB`.
            // `ACTIVE_ESTABLISHED_CB` follows the other one, and has the SYN-ACK.
            if !matches!((from, to), (CLOSE, SYN_SENT) | (SYN_SENT, ESTABLISHED)) {
                let change = Transition { port: of.local_port(), sk: of.sk(), from, to };
                transition::on_state_change(&ctx, &change, || of.flow(), &of);
            }
        }
        BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB => on_synack(&of),
        BPF_SOCK_OPS_RETRANS_CB => on_retransmit(&of),
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
    if flags & CALLBACKS == CALLBACKS || ctx.set_cb_flags((flags | CALLBACKS) as i32).is_ok() {
        let FlowKey { remote: address, remote_port: port, .. } = of.flow();
        transition::on_connect(entry, of.sk(), &Remote { address, port });
    }
}

/// The handshake is complete at this end: the SYN-ACK acknowledged our SYN.
#[inline(always)]
fn on_synack(of: &Of) {
    let Some(owner) = filter::owner_of_socket(of.local_port(), of.sk()) else { return };
    // SAFETY: the helper has no preconditions.
    transition::established(owner.record, unsafe { bpf_ktime_get_ns() }, of);
    if let Some(window) = of.packet_word(14) {
        owner.record.synack_flags = read!(of, skb_tcp_flags) as u8;
        owner.record.synack_window = window;
    }
}

/// The kernel has tried to send a segment again.
#[inline(always)]
fn on_retransmit(of: &Of) {
    let Some(owner) = filter::owner_of_socket(of.local_port(), of.sk()) else { return };
    let (state, error) = (read!(of, state) as u8, of.argument(2) as i32);
    let details = Details { state, detail: error, ..Details::of(RecordKind::SegmentRetransmit) };
    emit::of_slot(owner, of.flow(), &details);
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

impl Of {
    /// A number of 16 bits, so many bytes into the TCP header of the packet that the callback is about;
    /// `None` if there is none.
    #[inline(always)]
    fn packet_word(&self, at: usize) -> Option<u16> {
        let data = read!(self, __bindgen_anon_3.skb_data) as usize;
        let end = read!(self, __bindgen_anon_4.skb_data_end) as usize;
        if data + at + 2 > end {
            return None;
        }
        // SAFETY: the verifier admits the load only if the comparison above has checked that both bytes
        // are there.
        Some(u16::from_be(unsafe { ((data + at) as *const u16).read_unaligned() }))
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

    #[inline(always)]
    fn snd_nxt(&self) -> u32 {
        read!(self, snd_nxt)
    }

    #[inline(always)]
    fn rcv_nxt(&self) -> u32 {
        read!(self, rcv_nxt)
    }

    #[inline(always)]
    fn srtt_us(&self) -> u32 {
        read!(self, srtt_us)
    }
}
