//! What must be so for a conclusion to hold, and why it may not be.

use crate::record::ProbeId;

/// What must be so for a conclusion to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assumption {
    /// A server that misses a RST sends its SYN-ACK again before the probe is no longer followed, and that
    /// reaches this host. A `confirmed` verdict may rest on it: see docs/verdicts.md, "Limits".
    SynAckAgain,
    /// A segment of ours arrived.
    Arrival,
    /// Something that the agent does not know is not otherwise. A `confirmed` verdict never rests on it.
    NotShown(Reason),
}

impl Assumption {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SynAckAgain => "synack_again",
            Self::Arrival => "arrival",
            Self::NotShown(reason) => reason.name(),
        }
    }
}

/// What the proof of a verdict lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Kernel events were lost.
    EventsLost,
    /// Without tracing, nobody can know it.
    NoTracing,
    /// No kernel event shows it.
    NoEvent,
    /// Not all hooks are attached.
    HooksMissing,
    /// RSTs that no socket sends are not reported.
    SocketlessRsts,
    /// The probe was not followed for long enough.
    NotFollowed,
    /// The SYN-ACK may have crossed our RST.
    MayHaveCrossed,
    /// The header of the reply was not read, so that its numbers are not known.
    NumbersNotRead,
    /// The header of the reply was not read, and it may be a late SYN-ACK.
    ReplyNotRead,
    /// It is not known whose SYN the reply acknowledges.
    UnknownSyn,
    /// No known earlier probe left it.
    UnknownOwner,
    /// The late segment may be another answer of a stale connection.
    MayBeStale,
    /// Only the error of the socket shows it.
    ErrnoOnly,
    /// A SYN-ACK for the same SYN came, too.
    Contradicted {
        /// How long after it, in nanoseconds.
        after: u64,
        /// Whether a router's ICMP error is what it contradicts.
        is_icmp: bool,
    },
    /// An earlier probe's connection may have refused this one.
    EarlierProbe {
        /// That probe.
        id: ProbeId,
        /// How long before the SYN it ended, in nanoseconds.
        before: u64,
    },
    /// The confirmation probe decided nothing.
    Undecided,
    /// No hook saw the RST of the close.
    CloseNotSeen,
    /// A further copy of the SYN-ACK was reset too, and it is not known which RST arrived.
    SecondCopy,
    /// A SYN-ACK with another sequence number came: from another server, or one that keeps no state.
    OtherSynAck,
    /// A further segment of the connection came, and it is not known when the server dropped it.
    FurtherSegment,
    /// A proxy may have answered in the server's place.
    Proxy,
    /// A later probe was refused, perhaps by this one's connection.
    DoubtfulReuse,
}

impl Reason {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventsLost => "events_lost",
            Self::NoTracing => "no_tracing",
            Self::NoEvent => "no_event",
            Self::HooksMissing => "hooks_missing",
            Self::SocketlessRsts => "socketless_rsts",
            Self::NotFollowed => "not_followed",
            Self::MayHaveCrossed => "may_have_crossed",
            Self::NumbersNotRead => "numbers_not_read",
            Self::ReplyNotRead => "reply_not_read",
            Self::UnknownSyn => "unknown_syn",
            Self::UnknownOwner => "unknown_owner",
            Self::MayBeStale => "may_be_stale",
            Self::ErrnoOnly => "errno_only",
            Self::Contradicted { .. } => "contradicted",
            Self::EarlierProbe { .. } => "earlier_probe",
            Self::Undecided => "undecided",
            Self::CloseNotSeen => "close_not_seen",
            Self::SecondCopy => "second_copy",
            Self::OtherSynAck => "other_synack",
            Self::FurtherSegment => "further_segment",
            Self::Proxy => "proxy",
            Self::DoubtfulReuse => "doubtful_reuse",
        }
    }
}
