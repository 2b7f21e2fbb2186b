//! What the kernel side observes: the kinds of record that it emits, and the hooks that emit them.
//!
//! A new hook has its row here, its record kind if it needs a new one, and its program in the eBPF crate.

/// What the kernel did. The discriminants are the wire values of
/// [`EventRecord::kind`](crate::EventRecord::kind).
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// The state hook (`sock_ops` or `inet_sock_set_state`): the socket went from `old_state` to
    /// `state`.
    StateChange = 1,
    /// `tcp_send_reset`, or the functions that send RSTs: the kernel makes a RST, which is not yet
    /// transmission. `detail` is the value of `enum sk_rst_reason`, or -1 where the kernel has none.
    /// `flags`, `seq` and `ack` are those of the packet that the RST answers.
    RstSent = 2,
    /// `tcp_receive_reset`: an acceptable RST arrived for a socket.
    RstReceived = 3,
    /// `sock_ops` or `tcp_retransmit_skb`: the socket sent a segment again; in `SYN_SENT` that is the SYN.
    /// `detail` is the result of the transmission (0 or a negative errno), 0 where the kernel
    /// does not say.
    SegmentRetransmit = 4,
    /// `tcp_retransmit_synack`: a server on this host sent its SYN-ACK again. The flow is the
    /// probe's, from the agent's end; `seq` and `ack` are those of the SYN-ACK.
    SynAckRetransmit = 5,
    /// The ACK guard (`cgroup_skb/egress`) held back a bare ACK of the probe's socket.
    AckHeldBack = 6,
    /// `kfree_skb`: this kernel dropped a packet of the probe's flow. `detail` is the value of `enum
    /// skb_drop_reason`, `place` the interface's index, and `state` says which way it went and where
    /// it was dropped, as [`DROP_OUTGOING`], [`DROP_OUR_NETNS`] and [`DROP_OTHER_NETNS`].
    PacketDropped = 7,
}

/// A bit of `EventRecord::state` of a [`RecordKind::PacketDropped`]: the agent's end sent the packet.
pub const DROP_OUTGOING: u8 = 1;
/// Likewise: it was dropped in the agent's network namespace.
pub const DROP_OUR_NETNS: u8 = 2;
/// Likewise: it was dropped in another network namespace of this host. With neither bit, it is not known.
pub const DROP_OTHER_NETNS: u8 = 4;

impl RecordKind {
    /// Every kind. The position of each is its wire value less 1.
    pub const ALL: [Self; 7] = [
        Self::StateChange,
        Self::RstSent,
        Self::RstReceived,
        Self::SegmentRetransmit,
        Self::SynAckRetransmit,
        Self::AckHeldBack,
        Self::PacketDropped,
    ];
}

/// A value of `EventRecord::kind` that this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRecordKind(pub u8);

impl TryFrom<u8> for RecordKind {
    type Error = UnknownRecordKind;

    fn try_from(value: u8) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == value).ok_or(UnknownRecordKind(value))
    }
}

/// A hook that is attached with the help of BTF. Those on the agent's cgroup (`sock_ops`, `ack_guard`)
/// need none and have no row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The name of the program.
    pub program: &'static str,
    /// What it is attached to.
    pub kind: HookKind,
    /// The kernel's name of that.
    pub target: &'static str,
    /// The first arguments that the kernel must hand over; there may be more.
    pub arguments: &'static [HookArgument],
    /// Whether events are lost if the kernel skips the program (`recursion_misses`), and nothing else shows
    /// it. A state change that is not noted leaves a gap in its slot's record, and no interrupt causes the
    /// RST of a close. A dropped packet gives a clue and its absence proves nothing; on a host that drops
    /// many, a skip for each of the others' would make every probe unknown.
    pub skips_are_lost: bool,
    /// What is lost without it, in one sentence without a full stop.
    pub cost: &'static str,
}

/// What a hook is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookKind {
    /// A tracepoint (`tp_btf`).
    Tracepoint,
    /// The entry of a kernel function (`fentry`).
    Function,
}

/// What a kernel function or tracepoint hands over in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookArgument {
    /// A pointer to a structure of this name, `const` or not.
    Pointer(&'static str),
    /// An enum of this name.
    Enum(&'static str),
    /// A number that is no enum's.
    Integer,
    /// Anything: the program does not read it.
    Opaque,
}

const SOCKET: HookArgument = HookArgument::Pointer("sock");
const PACKET: HookArgument = HookArgument::Pointer("sk_buff");
const REQUEST: HookArgument = HookArgument::Pointer("request_sock");
const REASON: HookArgument = HookArgument::Enum("sk_rst_reason");
const INTEGER: HookArgument = HookArgument::Integer;

impl Hook {
    /// A tracepoint whose program has its name.
    const fn tracepoint(
        target: &'static str,
        arguments: &'static [HookArgument],
        cost: &'static str,
    ) -> Self {
        let kind = HookKind::Tracepoint;
        Self { program: target, kind, target, arguments, skips_are_lost: true, cost }
    }

    /// A function whose program has its name.
    const fn function(
        target: &'static str,
        arguments: &'static [HookArgument],
        cost: &'static str,
    ) -> Self {
        Self { kind: HookKind::Function, ..Self::tracepoint(target, arguments, cost) }
    }

    /// A skip is no loss: it is known in another way, or nothing is concluded from it.
    const fn skips_are_seen(self) -> Self {
        Self { skips_are_lost: false, ..self }
    }
}

/// A RST arrives for a socket.
pub const RECEIVE_RESET: Hook =
    Hook::tracepoint("tcp_receive_reset", &[SOCKET], "a refusal is inferred from its errno");

/// A socket sends a segment again.
pub const RETRANSMIT_SKB: Hook = Hook::tracepoint(
    "tcp_retransmit_skb",
    &[SOCKET, PACKET],
    "a lost SYN shows as a slow handshake only, and verdicts are inferred at most",
);

/// A server sends its SYN-ACK again.
pub const RETRANSMIT_SYNACK: Hook = Hook::tracepoint(
    "tcp_retransmit_synack",
    &[SOCKET, REQUEST],
    "a server on this host is not seen sending its SYN-ACK again",
);

/// This kernel drops a packet. Since 5.17 it says why.
pub const KFREE_SKB: Hook = Hook::tracepoint(
    "kfree_skb",
    &[PACKET, HookArgument::Opaque, HookArgument::Enum("skb_drop_reason")],
    "packets that this host drops are not seen, and no firewall of this host is named",
)
.skips_are_seen();
/// The hooks that are attached wherever the kernel has them.
pub const HOOKS: [Hook; 3] = [RECEIVE_RESET, RETRANSMIT_SYNACK, KFREE_SKB];

const CLOSE_COST: &str = "the RST of a close is not seen, and verdicts are inferred at most";
const ANSWER_COST: &str = "a RST that was lost and recovered by a SYN-ACK retransmit is not seen";

/// RSTs, seen by the tracepoint: 6.13 and later, and kernels with its table `raw_tp_null_args`.
pub const RST_TRACEPOINT: [Hook; 2] = {
    let hook = Hook::tracepoint("tcp_send_reset", &[SOCKET, PACKET, REASON], CLOSE_COST);
    let answer = Hook { program: "tcp_send_reset_answer", cost: ANSWER_COST, ..hook };
    [hook.skips_are_seen(), answer]
};

/// RSTs, seen by the functions that send them: all other kernels since 5.5.
pub const RST_FUNCTIONS: [Hook; 3] = [
    Hook::function("tcp_send_active_reset", &[SOCKET, INTEGER], CLOSE_COST).skips_are_seen(),
    Hook::function("tcp_v4_send_reset", &[SOCKET, PACKET], ANSWER_COST),
    Hook::function("tcp_v6_send_reset", &[SOCKET, PACKET], ANSWER_COST),
];

/// State changes where `sock_ops` cannot be used.
pub const SET_STATE: Hook = Hook::tracepoint(
    "inet_sock_set_state",
    &[SOCKET, INTEGER, INTEGER],
    "no probe is traced: outcomes are inferred from TCP_INFO and timing",
)
.skips_are_seen();

#[cfg(test)]
mod tests {
    use super::RecordKind;

    #[test]
    fn every_kind_decodes_from_its_wire_value_and_no_other_does() {
        let decoded = (0..=u8::MAX).filter_map(|v| Some((v, RecordKind::try_from(v).ok()?)));
        for (value, kind) in decoded.clone() {
            assert_eq!(kind as u8, value);
        }
        assert_eq!(decoded.count(), 7);
        assert!(RecordKind::ALL.iter().zip(1..).all(|(kind, value)| *kind as u8 == value));
    }
}
