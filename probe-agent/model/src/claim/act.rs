//! What a party did.

mod name;

use std::net::SocketAddr;

use crate::{
    host_clues::Ecn,
    icmp::IcmpError,
    outcome::Outcome,
    packet_drop::{InterfaceName, PacketDrop},
    record::{ProbeId, StartProblem},
    segment::TcpFlags,
};

use super::Gap;

/// Who left the connection that a SYN met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This very probe.
    ThisProbe,
    /// An earlier probe, which ended so many nanoseconds before the SYN.
    Probe {
        /// The probe.
        id: ProbeId,
        /// How long before the SYN it ended, in nanoseconds.
        before: u64,
    },
    /// No probe that was still being followed.
    Unknown,
}

/// What is known of the RSTs with which our kernel answers SYN-ACKs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// One was seen for each SYN-ACK.
    All,
    /// The last one was seen being dropped.
    LastDropped,
    /// Not every SYN-ACK was seen to be answered.
    NotAll,
}

/// What a party did. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sent a SYN-ACK that acknowledges our SYN, so long after the SYN.
    Answered {
        /// How long after the SYN.
        after: u64,
    },
    /// The same, so long after the probe had timed out.
    AnsweredLate {
        /// How long after the end of the probe.
        after: u64,
    },
    /// The same for the SYN of an earlier probe, which had timed out.
    AnsweredEarlierSyn {
        /// That probe.
        of: Owner,
    },
    /// Sent a SYN-ACK for our SYN although it had refused it, or somebody had reported it unreachable.
    AnsweredAsWell {
        /// How long after the refusal.
        after: u64,
    },
    /// Sent a reply that does not acknowledge our SYN.
    AnsweredAnotherSyn {
        /// Whether it was a SYN-ACK, not a challenge ACK; `None` if it was not read.
        is_synack: Option<bool>,
        /// How many such replies came.
        times: usize,
    },
    /// Answered the SYN with a RST.
    Refused {
        /// How long after the SYN.
        after: u64,
    },
    /// Sent a RST after its SYN-ACK.
    Reset {
        /// How long after the SYN-ACK; `None` if that is not known.
        after: Option<u64>,
        /// Whether our socket was gone before it could send a RST of its own.
        before_ours: bool,
    },
    /// Sent a SYN in place of a SYN-ACK.
    SentSyn,
    /// Sent its SYN-ACK again after our RST should have reached it.
    RetransmittedSynAck {
        /// How often.
        times: usize,
        /// The last time, after our RST.
        after: u64,
        /// What is known of our kernel's answers.
        answers: Answers,
    },
    /// Sent a further copy of its SYN-ACK, which may have left before our RST could arrive.
    SentCopy {
        /// Whether it reached our kernel, which answered with a RST.
        has_arrived: bool,
    },
    /// Sent another SYN-ACK for our SYN, with a sequence number of its own.
    SentOtherSynAck,
    /// Sent another segment of this connection after our RST.
    SentSegment {
        /// Its flags.
        flags: TcpFlags,
    },
    /// Offered a receive window of 0 in its SYN-ACK.
    OfferedNoWindow,
    /// Answered the SYN with an ICMP error.
    SentIcmp(IcmpError),
    /// Received our SYN.
    ReceivedSyn,
    /// Did not receive the RST of our close.
    MissedRst,
    /// Held a connection with our port.
    Held {
        /// Who left it.
        of: Owner,
        /// Until so long after the RST that should have ended it, where that is known.
        lasted: Option<u64>,
        /// The probe whose SYN met it, where that is another one.
        met_by: Option<ProbeId>,
    },
    /// Gave another port of ours the same port as this probe's: an address translation on the way.
    SharedPort {
        /// That port.
        other: u16,
    },
    /// Holds no connection of the probe any more.
    HoldsNothing,
    /// May still hold the connection.
    MayStillHold,
    /// Still holds it: the RST for it was dropped.
    StillHolds,
    /// Completed the handshake: it accepted a connection that was reset at once.
    Accepted,
    /// Answered the confirmation probe, or did not.
    MetConfirmation {
        /// The source port of that probe; 0 if no port was free for it.
        port: u16,
        /// How it ended.
        outcome: Outcome,
    },
    /// A later SYN from the same port was answered as if nothing were left.
    AnsweredLaterSyn,
    /// Refused a later SYN from the same port, perhaps for what it still held.
    RefusedLaterSyn,
    /// The SYN or its answer was lost, delayed or dropped on the way.
    LostSynOrAnswer,
    /// Answered with something that our kernel did not accept; or this host's SYN timer is short.
    SentUnacceptable {
        /// When the SYN was sent again, after the SYN.
        after: u64,
    },

    /// Took so long to deliver the answer that the SYN was sent again meanwhile: nothing need be lost.
    TookLong {
        /// The round trip, as it looks.
        round_trip: u64,
    },

    /// Has a SYN timer that expired before an answer could come.
    HasShortTimer {
        /// When the SYN was sent again, after the SYN.
        after: u64,
        /// The round trip, as the kernel measured it.
        round_trip: u64,
    },
    /// Asks for ECN with its SYNs, which a device on the path may drop.
    AsksForEcn(Ecn),
    /// Runs an XDP program on an interface: no hook shows what that drops.
    RunsXdp {
        /// The interface.
        interface: InterfaceName,
    },
    /// Sent the SYN to its own loopback interface, although the target is elsewhere.
    KeptSynOnLoopback,
    /// Sent the RST of the close.
    SentRst,
    /// Sent a RST in answer to a segment that belongs to no open connection.
    AnsweredWithRst,
    /// Sent the SYN again.
    RetransmittedSyn {
        /// How often.
        times: usize,
    },
    /// Tried to send the SYN again, which failed.
    FailedToSendSyn {
        /// The negative errno, or a verdict of the send queue.
        error: i32,
    },
    /// Has not sent the SYN at all: it waits for a neighbour.
    KeptSyn,
    /// Sent no SYN.
    SentNoSyn,
    /// Sent ACKs that a half-open probe must not send.
    LeakedAck {
        /// How many.
        count: u32,
        /// Whether the ACK guard was in effect.
        is_guarded: bool,
        /// Whether the close sent a RST.
        then_reset: bool,
    },
    /// Changed its state as no half-open probe should, or retransmitted something.
    ActedUnexpectedly,
    /// Dropped a packet of the probe.
    Dropped {
        /// The first one of its kind.
        packet: PacketDrop,
        /// How many like it.
        times: usize,
    },
    /// Dropped the RST of the close.
    DroppedClose {
        /// That packet.
        packet: PacketDrop,
    },
    /// Refused the connection in the target's place.
    RefusedItself,
    /// Received no SYN-ACK for the SYN.
    ReceivedNothing {
        /// How long it waited, after the SYN.
        within: u64,
    },
    /// Received no SYN-ACK of this handshake again.
    ReceivedNoCopy {
        /// For how long after the last RST the probe was followed.
        within: u64,
    },
    /// Reported an error of the socket.
    ReportedError {
        /// The errno.
        errno: i32,
    },
    /// Reported that there is no way to the target.
    ReportedUnreachable {
        /// The errno.
        errno: i32,
    },
    /// Could not run the probe.
    FailedToRun {
        /// The errno.
        errno: i32,
        /// Why, where that was found.
        problem: StartProblem,
        /// Whether there was a socket with a port.
        has_port: bool,
    },
    /// Sent the SYN to another address than the one that was asked for.
    Redirected {
        /// The address that was asked for.
        asked: SocketAddr,
        /// Where the SYN went.
        real: SocketAddr,
    },
    /// Translates the target's address: the SYN goes to another.
    Translates {
        /// Where it goes.
        real: SocketAddr,
        /// Whether that is on this host.
        is_here: bool,
    },
    /// Observed only a part of what the kernel did.
    Missed(Gap),
}
