//! The exchange of a probe as a person would draw it: one line for each segment or event.

/// What a step is. The names are those of span events (`probe_agent.` before them) and of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The SYN left.
    Syn,
    /// The SYN was sent again.
    SynRetransmit,
    /// The SYN-ACK came.
    SynAck,
    /// The server sent its SYN-ACK again.
    SynAckRetransmit,
    /// The server answered a SYN with a challenge ACK.
    ChallengeAck,
    /// The RST of the close left.
    Rst,
    /// A RST that answers a leftover: a late SYN-ACK or a challenge ACK.
    RecoveryRst,
    /// A RST came.
    RstReceived,
    /// The agent gave up waiting.
    TimedOut,
    /// The kernel reported an error to the agent (no route, ICMP, no port).
    Error,
    /// The socket changed its state in a way that no half-open probe does.
    StateChange,
    /// The ACK guard held back an ACK.
    AckHeldBack,
    /// The socket sent a segment other than its SYN again.
    SegmentRetransmit,
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
        }
    }
}

/// Which way a segment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the agent to the target.
    Out,
    /// From the target to the agent.
    In,
    /// No segment: something that happened at the agent's end.
    Here,
}

/// How a step is known, and what became of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// A kernel event says so.
    Seen,
    /// Concluded from other events, or from userspace's clock: drawn differently.
    Concluded,
    /// A kernel event saw it leave; that it was lost on the way is concluded.
    Lost,
}

/// One line of the exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// What it is.
    pub kind: StepKind,
    /// Which way it went.
    pub direction: Direction,
    /// How it is known.
    pub certainty: Certainty,
    /// What to say beside it; may be empty.
    pub note: String,
    /// The hook that saw it, e.g. `tcp_send_reset`; empty where none did.
    pub hook: &'static str,
}
