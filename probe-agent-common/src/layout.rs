//! Where the members of kernel structures are on this kernel.
//!
//! Userspace reads the offsets from BTF at load time and hands them to the programs as one read-only
//! global. No offset is written down in the source.

/// Offset of a member, or number of an argument, that this kernel does not have.
pub const ABSENT: u16 = u16::MAX;

/// Offsets within a socket, a request socket or a timewait socket, which all begin with a
/// `struct sock_common`.
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
    /// `skc_net`.
    pub net: u16,
}

/// Offsets within a `struct sk_buff`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketLayout {
    /// `head`: where the two headers count from; [`ABSENT`] where the headers must not be read
    /// (`lockdown=confidentiality`).
    pub head: u16,
    /// `network_header`.
    pub network: u16,
    /// `transport_header`.
    pub transport: u16,
    /// `tcp_flags` of the `struct tcp_skb_cb` in `cb`: its first byte holds FIN to CWR.
    pub tcp_flags: u16,
    /// `dev`.
    pub dev: u16,
    /// `sk`.
    pub sk: u16,
}

/// Offsets within a `struct tcp_sock`; [`ABSENT`] where BTF does not have them.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpLayout {
    /// `segs_out`.
    pub segs_out: u16,
    /// `total_retrans`.
    pub total_retrans: u16,
    /// `snd_nxt`.
    pub snd_nxt: u16,
    /// `rcv_nxt`.
    pub rcv_nxt: u16,
    /// `srtt_us`.
    pub srtt_us: u16,
    /// `rcv_isn` of a `struct tcp_request_sock`.
    pub request_rcv_isn: u16,
    /// `snt_isn` of the same.
    pub request_snt_isn: u16,
}

/// Everything that the programs need to know of the kernel that they run on.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelLayout {
    /// Cookie of the network namespace that the probes leave from (`SO_NETNS_COOKIE`); 0 switches
    /// the comparison off.
    pub netns_cookie: u64,
    /// A bit for each value of `enum skb_drop_reason` that is reported.
    pub drop_reasons: [u64; DROP_REASON_WORDS],
    /// Sockets.
    pub socket: SocketLayout,
    /// Packets.
    pub packet: PacketLayout,
    /// TCP sockets.
    pub tcp: TcpLayout,
    /// `struct net_device`, `nd_net`.
    pub dev_net: u16,
    /// `struct net`, `net_cookie`.
    pub net_cookie: u16,
    /// Number of the argument `reason` of `tcp_send_active_reset`; [`ABSENT`] before about 6.10.
    pub active_reset_reason: u16,
    /// The same of `tcp_v4_send_reset`.
    pub v4_reset_reason: u16,
    /// The same of `tcp_v6_send_reset`.
    pub v6_reset_reason: u16,
    /// Number of the argument `err` of `tcp_retransmit_skb`; [`ABSENT`] before about 6.17.
    pub retransmit_error: u16,
    /// `ifindex` of a `struct net_device`.
    pub dev_index: u16,
    /// `SKB_DROP_REASON_NO_SOCKET`: reported of a RST only.
    pub no_socket: u16,
    /// `SKB_DROP_REASON_NOT_SPECIFIED`: reported of a SYN only.
    pub not_specified: u16,
    /// `SKB_DROP_REASON_TCP_RESET`: reported only if the RST acknowledges nothing.
    pub tcp_reset: u16,
    /// Explicit padding, always 0.
    pub _pad: [u16; 3],
}

/// Words of [`KernelLayout::drop_reasons`].
pub const DROP_REASON_WORDS: usize = 4;

impl KernelLayout {
    /// No member is there: what the global holds until the loader fills it.
    pub const NONE: Self = Self {
        netns_cookie: 0,
        drop_reasons: [0; DROP_REASON_WORDS],
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
            net: ABSENT,
        },
        packet: PacketLayout {
            head: ABSENT,
            network: ABSENT,
            transport: ABSENT,
            tcp_flags: ABSENT,
            dev: ABSENT,
            sk: ABSENT,
        },
        tcp: TcpLayout {
            segs_out: ABSENT,
            total_retrans: ABSENT,
            snd_nxt: ABSENT,
            rcv_nxt: ABSENT,
            srtt_us: ABSENT,
            request_rcv_isn: ABSENT,
            request_snt_isn: ABSENT,
        },
        dev_net: ABSENT,
        net_cookie: ABSENT,
        active_reset_reason: ABSENT,
        v4_reset_reason: ABSENT,
        v6_reset_reason: ABSENT,
        retransmit_error: ABSENT,
        dev_index: ABSENT,
        no_socket: ABSENT,
        not_specified: ABSENT,
        tcp_reset: ABSENT,
        _pad: [0; 3],
    };
}

const _: () = {
    assert!(size_of::<SocketLayout>() == 20);
    assert!(size_of::<PacketLayout>() == 12);
    assert!(size_of::<TcpLayout>() == 14);
    assert!(size_of::<KernelLayout>() == 112 && align_of::<KernelLayout>() == 8);
};
