//! Follows pointers into kernel structures, by offsets that BTF gave.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use probe_agent_common::ABSENT;

use crate::{maps::layout, tuple};

/// Where a kernel structure is.
pub(crate) trait Pointer: Copy {
    /// What identifies the structure; 0 is none.
    fn address(self) -> u64;
    /// A number within the structure; 0 if it cannot be read.
    fn read<T: Number>(self, member: u16) -> T;
    /// The structure that a member points to.
    fn follow(self, member: u16) -> Self;
}

/// What a single load instruction reads.
pub(crate) trait Number: Copy + Default {}
impl Number for u8 {}
impl Number for u16 {}
impl Number for u32 {}
impl Number for u64 {}

/// A pointer whose type the verifier knows: an argument of a raw tracepoint, once it was found not to
/// be 0, and what its members point to. A read is one instruction.
#[derive(Clone, Copy)]
pub(crate) struct Typed(pub(crate) u64);

impl Pointer for Typed {
    #[inline(always)]
    fn address(self) -> u64 {
        self.0
    }

    #[inline(always)]
    fn read<T: Number>(self, member: u16) -> T {
        // SAFETY: the verifier admits the load only if the member is there and as long. What a member
        // points to may be gone: such a load yields 0 where it faults (BPF_PROBE_MEM). An argument is
        // there, or may be 0 and is known to the verifier as such: `nullable` makes sure of it.
        // Volatile, because the kernel writes there meanwhile.
        unsafe { core::ptr::read_volatile((self.0 + u64::from(member)) as *const T) }
    }

    #[inline(always)]
    fn follow(self, member: u16) -> Self {
        Self(self.read(member))
    }
}

/// A pointer that is but a number to the verifier. A read is a call that checks the address.
#[derive(Clone, Copy)]
pub(crate) struct Untyped(pub(crate) u64);

impl Pointer for Untyped {
    #[inline(always)]
    fn address(self) -> u64 {
        self.0
    }

    #[inline(always)]
    fn read<T: Number>(self, member: u16) -> T {
        // SAFETY: `bpf_probe_read_kernel` checks the address itself, and T is plain data.
        unsafe { bpf_probe_read_kernel((self.0 + u64::from(member)) as *const T) }
            .unwrap_or_default()
    }

    #[inline(always)]
    fn follow(self, member: u16) -> Self {
        Self(self.read(member))
    }
}

/// An IPv4 address, in network order.
#[inline(always)]
pub(crate) fn v4(base: impl Pointer, member: u16) -> [u8; 4] {
    base.read::<u32>(member).to_ne_bytes()
}

/// An IPv6 address. The kernel aligns one to 4 bytes.
#[inline(always)]
pub(crate) fn v6(base: impl Pointer, member: u16) -> [u8; 16] {
    tuple::v6([0, 4, 8, 12].map(|at| base.read::<u32>(member + at)))
}

/// `tcp_sock.segs_out`: the segments that the socket made since it was last connected; 0 where BTF
/// does not say where it is.
#[inline(always)]
pub(crate) fn segments_out(sk: impl Pointer) -> u32 {
    of_tcp(sk, layout!(segs_out))
}

/// `tcp_sock.total_retrans`: how often the socket sent a segment again since it was last connected; 0
/// where BTF does not say where it is.
#[inline(always)]
pub(crate) fn retransmits(sk: impl Pointer) -> u32 {
    of_tcp(sk, layout!(total_retrans))
}

/// A member of a `struct tcp_sock`, which to the verifier is a `struct sock` only.
#[inline(always)]
fn of_tcp(sk: impl Pointer, member: u16) -> u32 {
    if member == ABSENT { 0 } else { Untyped(sk.address()).read(member) }
}

/// Whether a `struct sock` is in the agent's network namespace; true where it cannot be told.
#[inline(always)]
pub(crate) fn socket_in_our_netns(sk: impl Pointer) -> bool {
    let ours = layout!(netns_cookie);
    ours == 0 || net_cookie(sk, layout!(sock_net)) == ours
}

/// Whether a received `struct sk_buff` came in by a device of the agent's network namespace; true
/// where it cannot be told.
#[inline(always)]
pub(crate) fn packet_in_our_netns(skb: impl Pointer) -> bool {
    let ours = layout!(netns_cookie);
    ours == 0
        || layout!(skb_dev) == ABSENT
        || net_cookie(skb.follow(layout!(skb_dev)), layout!(dev_net)) == ours
}

/// The cookie of the network namespace that a `struct net *` member belongs to; 0 if it cannot be
/// read, as no namespace's is (`possible_net_t` is one pointer).
#[inline(always)]
fn net_cookie(base: impl Pointer, member: u16) -> u64 {
    base.follow(member).read(layout!(net_cookie))
}
