//! Follows pointers into kernel structures, by offsets that BTF gave.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use probe_agent_common::ABSENT;

use crate::maps::layout;

/// The cookie of the network namespace that a `struct net *` member belongs to; 0 if it cannot be
/// read. `base + member` holds the pointer (`possible_net_t` is one pointer).
#[inline(always)]
fn net_cookie(base: u64, member: u16) -> u64 {
    let net = read_u64(base, member);
    if net == 0 { 0 } else { read_u64(net, layout!(net_cookie)) }
}

/// A member of a kernel structure; zeroes if it cannot be read.
#[inline(always)]
pub(crate) fn read<T: Copy + Default>(base: u64, member: u16) -> T {
    let address = (base + u64::from(member)) as *const T;
    // SAFETY: `bpf_probe_read_kernel` checks the address itself, and T is plain data.
    unsafe { bpf_probe_read_kernel(address) }.unwrap_or_default()
}

/// A pointer or another eight bytes.
#[inline(always)]
pub(crate) fn read_u64(base: u64, member: u16) -> u64 {
    read(base, member)
}

/// `tcp_sock.segs_out`: the segments that the socket made since it was last connected; 0 where BTF
/// does not say where it is.
#[inline(always)]
pub(crate) fn segments_out(sk: u64) -> u32 {
    let offset = layout!(segs_out);
    if offset == ABSENT {
        return 0;
    }
    read(sk, offset)
}

/// `tcp_sock.total_retrans`: how often the socket sent a segment again since it was last connected; 0
/// where BTF does not say where it is.
#[inline(always)]
pub(crate) fn retransmits(sk: u64) -> u16 {
    let offset = layout!(total_retrans);
    if offset == ABSENT {
        return 0;
    }
    read::<u32>(sk, offset).min(u32::from(u16::MAX)) as u16
}

/// Whether a `struct sock` is in the agent's network namespace; true where it cannot be told.
#[inline(always)]
pub(crate) fn socket_in_our_netns(sk: u64) -> bool {
    let ours = layout!(netns_cookie);
    ours == 0 || net_cookie(sk, layout!(sock_net)) == ours
}

/// Whether a received `struct sk_buff` came in by a device of the agent's network namespace; true
/// where it cannot be told.
#[inline(always)]
pub(crate) fn packet_in_our_netns(skb: u64) -> bool {
    let ours = layout!(netns_cookie);
    if ours == 0 || layout!(skb_dev) == ABSENT {
        return true;
    }
    let device = read_u64(skb, layout!(skb_dev));
    device != 0 && net_cookie(device, layout!(dev_net)) == ours
}
