//! Follows pointers into kernel structures, by offsets that BTF gave.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use probe_agent_common::ABSENT;

use crate::{address, maps::layout};

/// Where a kernel structure is.
pub(crate) trait Pointer: Copy {
    /// A number within the structure; 0 if it cannot be read.
    fn read<T: Number>(self, member: u16) -> T;
}

/// What a single load instruction reads.
pub(crate) trait Number: Copy + Default {}
impl Number for u8 {}
impl Number for u16 {}
impl Number for u32 {}
impl Number for u64 {}

/// A pointer whose type the verifier knows: an argument of a BTF tracepoint or a kernel function, and
/// what its members point to. A read is one instruction and needs no helper.
#[derive(Clone, Copy)]
pub(crate) struct Typed(pub(crate) u64);

impl Typed {
    /// What identifies the structure; 0 is none.
    #[inline(always)]
    pub(crate) fn address(self) -> u64 {
        self.0
    }

    /// The structure that a member points to.
    #[inline(always)]
    pub(crate) fn follow(self, member: u16) -> Self {
        Self(self.read(member))
    }
}

impl Pointer for Typed {
    #[inline(always)]
    fn read<T: Number>(self, member: u16) -> T {
        // SAFETY: the verifier admits the load only if the member is there and as long. A pointer that
        // may be 0, or whose target may be gone, is one of a kind (not `PTR_TRUSTED`) whose loads yield 0
        // where they fault (`BPF_PROBE_MEM`). Volatile, because the kernel writes there meanwhile.
        unsafe { core::ptr::read_volatile((self.0 + u64::from(member)) as *const T) }
    }
}

/// A pointer that is only a number to the verifier. A read is a call of `bpf_probe_read_kernel`, which
/// `lockdown=confidentiality` forbids: only the headers of a packet are read in this way.
#[derive(Clone, Copy)]
pub(crate) struct Untyped(pub(crate) u64);

impl Pointer for Untyped {
    #[inline(always)]
    fn read<T: Number>(self, member: u16) -> T {
        // SAFETY: `bpf_probe_read_kernel` checks the address itself, and T is plain data.
        unsafe { bpf_probe_read_kernel((self.0 + u64::from(member)) as *const T) }
            .unwrap_or_default()
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
    address::v6([0, 4, 8, 12].map(|at| base.read::<u32>(member + at)))
}

/// Whether a `struct sock` is in the agent's network namespace; true where this is unknown.
#[inline(always)]
pub(crate) fn socket_in_our_netns(sk: Typed) -> bool {
    let ours = layout!(netns_cookie);
    ours == 0 || net_cookie(sk, layout!(socket.net)) == ours
}

/// Whether a received `struct sk_buff` came in by a device of the agent's network namespace; true
/// where this is unknown.
#[inline(always)]
pub(crate) fn packet_in_our_netns(skb: Typed) -> bool {
    let ours = layout!(netns_cookie);
    ours == 0
        || layout!(packet.dev) == ABSENT
        || net_cookie(skb.follow(layout!(packet.dev)), layout!(dev_net)) == ours
}

/// The cookie of the network namespace that a `struct net *` member points to; 0, which no namespace
/// has, if it cannot be read (`possible_net_t` is one pointer).
#[inline(always)]
pub(crate) fn net_cookie(base: Typed, member: u16) -> u64 {
    base.follow(member).read(layout!(net_cookie))
}
