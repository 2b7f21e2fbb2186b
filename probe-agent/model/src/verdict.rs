//! The closed list of verdicts, and their degrees of proof.

use arrayvec::ArrayVec;

/// Why a probe went as it did. The names are a contract: JSON, span attributes and metrics use them. The
/// list of a probe has the same order: the most telling verdict first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Verdict {
    /// An ACK of ours left: the server's application may have accepted a dead connection.
    AckLeaked,
    /// The kernel of this host dropped a packet of the probe in the agent's network namespace.
    LocalDrop,
    /// The RST of the close was lost, and the server was not seen to drop the half-open connection before
    /// the end of the settle window.
    RstLostUnrecovered,
    /// Path A: the RST was lost; the server retransmitted its SYN-ACK and was then reset.
    RstLostSynackRetransmit,
    /// Path B, on the probe whose RST was lost: a later probe from the same port met the stale connection.
    RstLostPortReuse,
    /// Path B, on the later probe: its SYN met a stale connection in `SYN_RECV`, and the server answered
    /// with a challenge ACK (RFC 5961, section 4).
    StaleSynRecvChallengeAck,
    /// Path C: its SYN met a stale connection, and the server reset it as a bad segment of that
    /// connection. The target is up.
    StaleSynRecvReset,
    /// A connection that no probe of this run left answered the SYN with a challenge ACK (RFC 9293, section
    /// 3.10.7.4).
    ChallengeAck,
    /// The target accepted the SYN with a SYN-ACK and then reset the connection.
    TargetReset,
    /// The target answered the SYN with a SYN of its own (RFC 9293, section 3.5).
    SimultaneousOpen,
    /// The SYN-ACK for a probe arrived after that probe had timed out.
    LateSynack,
    /// The SYN was retransmitted.
    SynRetransmitted,
    /// The target answered with a RST.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The network reported that the target cannot be reached.
    Unreachable,
    /// This host could not run the probe.
    LocalError,
    /// SYN, SYN-ACK, RST, and nothing after that.
    Clean,
}

impl Verdict {
    /// All verdicts, in the order in which they are printed.
    pub const ALL: [Self; 17] = [
        Self::AckLeaked,
        Self::LocalDrop,
        Self::RstLostUnrecovered,
        Self::RstLostSynackRetransmit,
        Self::RstLostPortReuse,
        Self::StaleSynRecvChallengeAck,
        Self::StaleSynRecvReset,
        Self::ChallengeAck,
        Self::TargetReset,
        Self::SimultaneousOpen,
        Self::LateSynack,
        Self::SynRetransmitted,
        Self::Refused,
        Self::TimedOut,
        Self::Unreachable,
        Self::LocalError,
        Self::Clean,
    ];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AckLeaked => "ack_leaked",
            Self::LocalDrop => "local_drop",
            Self::RstLostUnrecovered => "rst_lost_unrecovered",
            Self::RstLostSynackRetransmit => "rst_lost_synack_retransmit",
            Self::RstLostPortReuse => "rst_lost_port_reuse",
            Self::StaleSynRecvChallengeAck => "stale_syn_recv_challenge_ack",
            Self::StaleSynRecvReset => "stale_syn_recv_reset",
            Self::ChallengeAck => "challenge_ack",
            Self::TargetReset => "target_reset",
            Self::SimultaneousOpen => "simultaneous_open",
            Self::LateSynack => "late_synack",
            Self::SynRetransmitted => "syn_retransmitted",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::LocalError => "local_error",
            Self::Clean => "clean",
        }
    }

    /// A heading of a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::AckLeaked => "ACK leaked, not half-open",
            Self::LocalDrop => "packet dropped on this host",
            Self::RstLostUnrecovered => "RST lost, not recovered yet",
            Self::RstLostSynackRetransmit => "RST lost, recovered by SYN-ACK retransmit",
            Self::RstLostPortReuse => "RST lost, recovered when its port was reused",
            Self::StaleSynRecvChallengeAck => {
                "stale SYN_RECV connection, recovered by challenge ACK"
            }
            Self::StaleSynRecvReset => "refused by stale SYN_RECV connection; the target is up",
            Self::ChallengeAck => "SYN met an existing connection",
            Self::TargetReset => "answered, then reset by the target",
            Self::SimultaneousOpen => "simultaneous open, no SYN-ACK",
            Self::LateSynack => "SYN-ACK after the timeout",
            Self::SynRetransmitted => "SYN retransmitted",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Unreachable => "unreachable",
            Self::LocalError => "local error",
            Self::Clean => "clean",
        }
    }
}

/// How well a verdict is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Proof {
    /// Kernel events show it.
    Confirmed,
    /// `TCP_INFO`, timing or the order of events suggest it.
    Inferred,
    /// There was no tracing, or events were lost: it could be otherwise.
    Unknown,
}

impl Proof {
    /// All proofs, in the order in which they are printed.
    pub const ALL: [Self; 3] = [Self::Confirmed, Self::Inferred, Self::Unknown];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
        }
    }
}

/// One verdict and its proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Why the probe went as it did.
    pub verdict: Verdict,
    /// How well that is proved.
    pub proof: Proof,
}

/// The verdicts on one probe, the most telling first; never empty.
pub type Judgements = ArrayVec<Judgement, 6>;
