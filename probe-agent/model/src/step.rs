//! The exchange of a probe, step by step: one for each segment or event.

/// What a step is. Span events (with the prefix `probe_agent.`) and JSON use the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The SYN left.
    Syn,
    /// The SYN was retransmitted.
    SynRetransmit,
    /// The SYN-ACK arrived.
    SynAck,
    /// The server retransmitted its SYN-ACK.
    SynAckRetransmit,
    /// The server answered the SYN with a challenge ACK.
    ChallengeAck,
    /// The RST of the close left.
    Rst,
    /// A RST that answers a late SYN-ACK or a challenge ACK.
    RecoveryRst,
    /// A RST arrived.
    RstReceived,
    /// The agent stopped waiting.
    TimedOut,
    /// The kernel reported an error to the agent (no route, ICMP, no port).
    Error,
    /// The socket changed its state as no half-open probe should.
    StateChange,
    /// The ACK guard held back an ACK.
    AckHeldBack,
    /// The socket retransmitted a segment other than its SYN.
    SegmentRetransmit,
    /// The kernel of this host dropped a packet.
    PacketDropped,
}

impl StepKind {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syn => "syn_sent",
            Self::SynRetransmit => "syn_retransmitted",
            Self::SynAck => "synack_received",
            Self::SynAckRetransmit => "synack_retransmitted",
            Self::ChallengeAck => "challenge_ack_received",
            Self::Rst => "rst_sent",
            Self::RecoveryRst => "recovery_rst_sent",
            Self::RstReceived => "rst_received",
            Self::TimedOut => "timed_out",
            Self::Error => "error",
            Self::StateChange => "state_changed",
            Self::AckHeldBack => "ack_held_back",
            Self::SegmentRetransmit => "segment_retransmitted",
            Self::PacketDropped => "packet_dropped",
        }
    }

    /// What a diagram calls it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Syn => "SYN",
            Self::SynRetransmit => "SYN retransmit",
            Self::SynAck => "SYN-ACK",
            Self::SynAckRetransmit => "SYN-ACK retransmit",
            Self::ChallengeAck => "challenge ACK",
            Self::Rst | Self::RecoveryRst | Self::RstReceived => "RST",
            Self::TimedOut => "timed out",
            Self::Error => "error",
            Self::AckHeldBack => "ACK",
            Self::StateChange => "state change",
            Self::SegmentRetransmit => "retransmit",
            Self::PacketDropped => "dropped here",
        }
    }

    /// Which way the segment went.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Syn | Self::SynRetransmit | Self::Rst | Self::RecoveryRst | Self::AckHeldBack => {
                Direction::Out
            }
            Self::SynAck | Self::SynAckRetransmit | Self::ChallengeAck | Self::RstReceived => {
                Direction::In
            }
            Self::TimedOut
            | Self::Error
            | Self::StateChange
            | Self::SegmentRetransmit
            | Self::PacketDropped => Direction::Here,
        }
    }
}

/// The direction of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the agent to the target.
    Out,
    /// From the target to the agent.
    In,
    /// Not a segment, but an event at the agent's end.
    Here,
}

impl Direction {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
            Self::Here => "here",
        }
    }
}

/// How a step is known, and whether the segment was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// A kernel event shows it.
    Seen,
    /// Concluded from other events, or from userspace times.
    Concluded,
    /// A kernel event shows that it left; that it was lost is concluded.
    Lost,
}

impl Certainty {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Concluded => "concluded",
            Self::Lost => "lost",
        }
    }
}

/// One step of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// What happened.
    pub kind: StepKind,
    /// The direction of the segment.
    pub direction: Direction,
    /// How it is known.
    pub certainty: Certainty,
    /// A remark; may be empty.
    pub note: String,
    /// The hook that saw it, e.g. `tcp_send_reset`; empty if none did.
    pub hook: &'static str,
}

impl Step {
    /// A step that a hook saw, or one at the agent's end (without a hook).
    #[must_use]
    pub fn seen(at: u64, kind: StepKind, note: impl Into<String>, hook: &'static str) -> Self {
        let direction = kind.direction();
        Self { at, kind, direction, certainty: Certainty::Seen, note: note.into(), hook }
    }

    /// The same step, known only by conclusion.
    #[must_use]
    pub fn concluded(self) -> Self {
        Self { certainty: Certainty::Concluded, ..self }
    }
}
