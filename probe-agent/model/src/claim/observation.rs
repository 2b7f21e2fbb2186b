//! What was observed: by which hook, count or system call, and when.

use std::net::SocketAddr;

use crate::{
    event::Event,
    host_clues::Ecn,
    icmp::IcmpError,
    outcome::Outcome,
    packet_drop::InterfaceName,
    record::{Closing, ProbeId},
};

/// A moment of a probe that the kernel's record or the agent's clock has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The SYN left.
    Syn,
    /// The socket took the SYN-ACK.
    SynAck,
    /// The socket sent the RST of the close.
    Rst,
    /// The agent closed its end, or gave up.
    End,
}

/// A count of the socket, read at the close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketCount {
    /// `tcp_sock.segs_out`.
    SegmentsOut,
    /// `tcp_sock.total_retrans`.
    Retransmits,
    /// `tcpi_total_retrans`, where nothing is traced.
    TcpInfoRetransmits,
}

/// What the hooks could not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// RSTs that no socket sends are not reported.
    SocketlessRsts,
    /// Not all hooks are attached.
    HooksMissing,
    /// Events were lost.
    EventsLost,
    /// Nothing was traced; `TCP_INFO` may have been read.
    NoTracing {
        /// `tcpi_total_retrans`.
        retransmits: Option<u32>,
    },
}

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A kernel event.
    Event(Event),
    /// A moment in the kernel's record of the probe.
    Recorded {
        /// Which one.
        moment: Moment,
        /// Nanoseconds of `CLOCK_MONOTONIC`.
        at: u64,
    },
    /// The same by the agent's own clock: no hook saw it.
    Clock {
        /// Which one.
        moment: Moment,
        /// Nanoseconds of `CLOCK_MONOTONIC`.
        at: u64,
    },
    /// A count of the socket.
    Count {
        /// Which one.
        what: SocketCount,
        /// Its value at the close.
        value: u32,
        /// How many ACKs the guard held back by then.
        acks_held: u16,
    },
    /// The window that the SYN-ACK offered was 0.
    NoWindow,
    /// The error of the socket, or of the agent's system call.
    Errno(i32),
    /// The error in the socket's queue.
    Icmp(IcmpError),
    /// No RST answered a SYN-ACK of this handshake, although a hook would have reported it.
    NoAnswer {
        /// From the last RST on.
        since: u64,
        /// Until when the probe was followed.
        until: u64,
    },
    /// The socket took no SYN-ACK, although the state hook would have reported it.
    NoSynAck {
        /// From the SYN on.
        since: u64,
        /// Until the close.
        until: u64,
    },
    /// An earlier probe on the 4-tuple, or from another port (the last number) that an address translation gave
    /// the same one; `None` if none was still being followed.
    Earlier(Option<(ProbeId, Closing, u64, Option<u16>)>),
    /// A later probe on the 4-tuple, or from another port, met what this one had left.
    Later {
        /// The later probe.
        id: ProbeId,
        /// When its SYN met it.
        at: u64,
        /// Whether it was answered in the end.
        was_answered: bool,
        /// Its local port, if it was another.
        other_port: Option<u16>,
    },
    /// A later probe on the 4-tuple met a further SYN-ACK of this handshake.
    CopyMet {
        /// The later probe.
        id: ProbeId,
        /// When it met it.
        at: u64,
    },
    /// A later SYN on the 4-tuple was answered as if nothing were left.
    CleanReuse,
    /// A later SYN on the 4-tuple was refused, and no confirmation probe decided.
    DoubtfulReuse,
    /// The confirmation probe.
    Confirmation {
        /// Its source port.
        port: u16,
        /// How it ended.
        outcome: Outcome,
    },
    /// The SYN went to another address.
    Redirect {
        /// The address that was asked for.
        asked: SocketAddr,
        /// Where the SYN went.
        real: SocketAddr,
    },
    /// The connection tracking of this host has the translation of a probe's destination.
    Conntrack {
        /// Where the SYN went.
        real: SocketAddr,
        /// That probe.
        of: ProbeId,
    },
    /// `net.ipv4.tcp_ecn`.
    EcnSetting(Ecn),
    /// `IFLA_XDP`: an XDP program is attached to an interface.
    XdpAttached(InterfaceName),
    /// `SO_BINDTODEVICE` of the loopback interface.
    BoundToLoopback,
    /// What the hooks could not see.
    Gap(Gap),
}
