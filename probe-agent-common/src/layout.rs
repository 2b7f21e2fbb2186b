//! Where the fields of the tracepoints and kernel structures are on this kernel.
//!
//! Userspace reads the offsets from BTF, or from tracefs `format` files, at load time and hands them
//! to the programs as one read-only global. No offset is written down in the source.

/// Offset of a field that this kernel does not have.
pub const ABSENT: u16 = u16::MAX;

/// Offsets, in bytes from the start of the tracepoint record, of a 4-tuple written as separate
/// fields.
///
/// The IPv6 fields serve both families: for an IPv4 socket the kernel stores the IPv4-mapped
/// address there (`TP_STORE_V4MAPPED` in `include/trace/events/net_probe_common.h`), which is the
/// spelling of [`FlowKey`](crate::FlowKey).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TupleLayout {
    /// `sport`, host order.
    pub sport: u16,
    /// `dport`, host order.
    pub dport: u16,
    /// `saddr_v6`.
    pub saddr_v6: u16,
    /// `daddr_v6`.
    pub daddr_v6: u16,
}

/// Offsets of `inet_sock_set_state`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetStateLayout {
    /// `skaddr`.
    pub skaddr: u16,
    /// `oldstate`.
    pub old_state: u16,
    /// `newstate`.
    pub new_state: u16,
    /// `protocol`.
    pub protocol: u16,
    /// The 4-tuple.
    pub tuple: TupleLayout,
}

/// Offsets of `tcp_send_reset`, which has two shapes: a 4-tuple in separate fields, or two
/// `struct sockaddr_in6`-sized arrays that carry family, port and address (since about 6.10).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendResetLayout {
    /// `skbaddr`: the packet that is answered, NULL for an active reset.
    pub skbaddr: u16,
    /// `skaddr`: NULL where no socket was found.
    pub skaddr: u16,
    /// `state`.
    pub state: u16,
    /// `reason`, [`ABSENT`] before about 6.10.
    pub reason: u16,
    /// `saddr[28]`, a socket address; [`ABSENT`] where `tuple` is filled instead.
    pub saddr_sockaddr: u16,
    /// `daddr[28]`, likewise.
    pub daddr_sockaddr: u16,
    /// The 4-tuple in separate fields; its offsets are [`ABSENT`] in the socket address shape.
    pub tuple: TupleLayout,
}

/// Offsets of the tracepoints that start with pointers and a 4-tuple: `tcp_receive_reset`,
/// `tcp_retransmit_skb` and `tcp_retransmit_synack`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixLayout {
    /// `skaddr`.
    pub skaddr: u16,
    /// `state`, [`ABSENT`] where the tracepoint has none.
    pub state: u16,
    /// `err` of `tcp_retransmit_skb`, [`ABSENT`] before about 6.17.
    pub err: u16,
    /// The 4-tuple.
    pub tuple: TupleLayout,
}

/// Offsets within a socket or a request socket, of which both begin with a `struct sock_common`
/// (BTF).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketLayout {
    /// `skc_family`.
    pub family: u16,
    /// `skc_state`, a byte.
    pub state: u16,
    /// `skc_num`, host order.
    pub local_port: u16,
    /// `skc_dport`, network order.
    pub remote_port: u16,
    /// `skc_rcv_saddr`.
    pub local_v4: u16,
    /// `skc_daddr`.
    pub remote_v4: u16,
    /// `skc_v6_rcv_saddr`; [`ABSENT`] on a kernel without IPv6.
    pub local_v6: u16,
    /// `skc_v6_daddr`, likewise.
    pub remote_v6: u16,
    /// `sk_protocol`, of a full socket only.
    pub protocol: u16,
}

/// Offsets within a `struct sk_buff` (BTF).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketLayout {
    /// `head`: where the two headers count from.
    pub head: u16,
    /// `network_header`.
    pub network: u16,
    /// `transport_header`.
    pub transport: u16,
}

/// What the programs for raw tracepoints need: these get the kernel's own pointers, not a record.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLayout {
    /// Sockets.
    pub socket: SocketLayout,
    /// Packets.
    pub packet: PacketLayout,
    /// Number of the argument `reason` of `tcp_send_reset`; [`ABSENT`] before about 6.10.
    pub reason: u16,
    /// Number of the argument `err` of `tcp_retransmit_skb`; [`ABSENT`] before about 6.17.
    pub err: u16,
}

/// Everything that the programs need to know of the kernel that they run on.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelLayout {
    /// Cookie of the network namespace that the probes leave from (`SO_NETNS_COOKIE`); 0 switches
    /// the comparison off.
    pub netns_cookie: u64,
    /// `inet_sock_set_state`.
    pub set_state: SetStateLayout,
    /// `tcp_send_reset`.
    pub send_reset: SendResetLayout,
    /// `tcp_receive_reset`.
    pub receive_reset: PrefixLayout,
    /// `tcp_retransmit_skb`.
    pub retransmit_skb: PrefixLayout,
    /// `tcp_retransmit_synack`.
    pub retransmit_synack: PrefixLayout,
    /// Raw tracepoints.
    pub raw: RawLayout,
    /// `struct sock`, `__sk_common.skc_net` (BTF).
    pub sock_net: u16,
    /// `struct net`, `net_cookie` (BTF).
    pub net_cookie: u16,
    /// `struct sk_buff`, `dev` (BTF).
    pub skb_dev: u16,
    /// `struct net_device`, `nd_net` (BTF).
    pub dev_net: u16,
    /// `struct tcp_sock`, `segs_out` (BTF).
    pub segs_out: u16,
    /// `struct tcp_sock`, `total_retrans` (BTF).
    pub total_retrans: u16,
}

impl TupleLayout {
    /// No field is there.
    pub const NONE: Self =
        Self { sport: ABSENT, dport: ABSENT, saddr_v6: ABSENT, daddr_v6: ABSENT };
}

impl PrefixLayout {
    /// No field is there.
    pub const NONE: Self =
        Self { skaddr: ABSENT, state: ABSENT, err: ABSENT, tuple: TupleLayout::NONE };
}

impl RawLayout {
    /// No field is there.
    pub const NONE: Self = Self {
        socket: SocketLayout {
            family: ABSENT,
            state: ABSENT,
            local_port: ABSENT,
            remote_port: ABSENT,
            local_v4: ABSENT,
            remote_v4: ABSENT,
            local_v6: ABSENT,
            remote_v6: ABSENT,
            protocol: ABSENT,
        },
        packet: PacketLayout { head: ABSENT, network: ABSENT, transport: ABSENT },
        reason: ABSENT,
        err: ABSENT,
    };
}

impl KernelLayout {
    /// No field is there: what the global holds until the loader fills it.
    pub const NONE: Self = Self {
        netns_cookie: 0,
        set_state: SetStateLayout {
            skaddr: ABSENT,
            old_state: ABSENT,
            new_state: ABSENT,
            protocol: ABSENT,
            tuple: TupleLayout::NONE,
        },
        send_reset: SendResetLayout {
            skbaddr: ABSENT,
            skaddr: ABSENT,
            state: ABSENT,
            reason: ABSENT,
            saddr_sockaddr: ABSENT,
            daddr_sockaddr: ABSENT,
            tuple: TupleLayout::NONE,
        },
        receive_reset: PrefixLayout::NONE,
        retransmit_skb: PrefixLayout::NONE,
        retransmit_synack: PrefixLayout::NONE,
        raw: RawLayout::NONE,
        sock_net: ABSENT,
        net_cookie: ABSENT,
        skb_dev: ABSENT,
        dev_net: ABSENT,
        segs_out: ABSENT,
        total_retrans: ABSENT,
    };
}

const _: () = {
    assert!(size_of::<TupleLayout>() == 8);
    assert!(size_of::<SetStateLayout>() == 16);
    assert!(size_of::<SendResetLayout>() == 20);
    assert!(size_of::<PrefixLayout>() == 14);
    assert!(size_of::<SocketLayout>() == 18);
    assert!(size_of::<PacketLayout>() == 6);
    assert!(size_of::<RawLayout>() == 28);
    assert!(size_of::<KernelLayout>() == 128 && align_of::<KernelLayout>() == 8);
};
