//! The scenarios, in the order in which they are printed. The demo and the tests run the same ones.

use std::time::Duration;

use super::scenario::{
    Expected, HostFault, Injection, Probing, Scenario, ServerCounts, TargetKind,
};
use engine::settings::PortPolicy;
use lab::{Fault, Reject, Segment};
use model::{
    outcome::Outcome::{Alive, LocalError, Refused, TimedOut, Unreachable},
    verdict::Verdict as V,
};

/// One probe, with a settle window that is longer than the server's SYN-ACK timer (1 s).
const ONE: Probing = Probing {
    count: 1,
    concurrency: 1,
    slots: 1,
    ports: PortPolicy::Rotate,
    fresh_sockets: false,
    timeout: Duration::from_secs(2),
    settle: Duration::from_secs(2),
};

/// Two probes from one port, the second as soon as the first has ended.
const TWO_ON_ONE_PORT: Probing = Probing { count: 2, ports: PortPolicy::Pin, ..ONE };

/// Shorter than the timers that retransmit the SYN and the SYN-ACK.
const SHORT: Duration = Duration::from_millis(300);

const NO_CONNECTION: ServerCounts = ServerCounts { resets: 0, half_open: 0 };

const fn reset(times: i64) -> ServerCounts {
    ServerCounts { resets: times, half_open: 0 }
}

const fn hit(fault: Fault, hits: u64) -> Injection {
    Injection { fault, hits: hits..=hits }
}

/// Every SYN is rejected. The kernel ignores an ICMP answer that comes while `connect()` still holds the
/// socket (`tcp_v4_err`), as it mostly does here; the answer to the first retransmit takes effect.
const fn rejected(with: Reject) -> Injection {
    Injection { fault: Fault::refused(with), hits: 1..=2 }
}

/// Nothing injected, one probe, a server.
const PLAIN: Scenario = Scenario {
    name: "clean",
    title: "nothing goes wrong",
    injected: &[],
    server_sysctls: &[],
    target: TargetKind::Server,
    host_fault: HostFault::None,
    probing: ONE,
    expected: &[Expected::new(Alive, &[V::Clean])],
    server_counts: reset(1),
};

/// All scenarios.
pub static ALL: &[Scenario] = &[
    PLAIN,
    Scenario {
        name: "rst-lost",
        title: "path A: the RST is lost; the server retransmits its SYN-ACK and is reset",
        injected: &[hit(Fault::lost(Segment::FirstRst).first(1), 1)],
        expected: &[Expected::new(Alive, &[V::RstLostSynackRetransmit])],
        ..PLAIN
    },
    Scenario {
        name: "rst-lost-port-reuse",
        title: "path B: the RST is lost; the next probe from the same port meets the stale connection",
        injected: &[hit(Fault::lost(Segment::FirstRst).first(1), 1)],
        probing: TWO_ON_ONE_PORT,
        expected: &[
            Expected::new(Alive, &[V::RstLostPortReuse]).about(1),
            Expected::new(Alive, &[V::StaleSynRecvChallengeAck]).about(0),
        ],
        server_counts: reset(2),
        ..PLAIN
    },
    Scenario {
        name: "false-refusal",
        title: "path C: the RST is lost; the stale connection refuses a fresh socket, though the server is up",
        injected: &[hit(Fault::lost(Segment::FirstRst).first(1), 1)],
        // The second slot is for the confirmation probe.
        probing: Probing { fresh_sockets: true, slots: 2, ..TWO_ON_ONE_PORT },
        expected: &[
            Expected::new(Alive, &[V::RstLostPortReuse]).about(1),
            Expected::new(Alive, &[V::StaleSynRecvReset]).about(0),
        ],
        server_counts: reset(2),
        ..PLAIN
    },
    Scenario {
        name: "rst-lost-unrecovered",
        title: "every RST is lost, including those that answer the server's SYN-ACKs",
        injected: &[
            hit(Fault::lost(Segment::FirstRst), 1),
            hit(Fault::lost(Segment::RecoveryRst), 2),
        ],
        // The server retransmits its SYN-ACK after 1 s and 3 s, then after 7 s.
        probing: Probing { settle: Duration::from_millis(3_600), ..ONE },
        expected: &[Expected::new(Alive, &[V::RstLostUnrecovered])],
        server_counts: ServerCounts { resets: 0, half_open: 1 },
        ..PLAIN
    },
    Scenario {
        name: "late-synack",
        title: "the SYN-ACK comes after the probe has timed out",
        injected: &[hit(Fault::lost(Segment::SynAck).first(1), 1)],
        probing: Probing { timeout: SHORT, ..ONE },
        expected: &[Expected::new(TimedOut, &[V::LateSynack, V::TimedOut])],
        ..PLAIN
    },
    Scenario {
        name: "late-synack-port-reuse",
        title: "the next probe from the same port gets the SYN-ACK of one that timed out",
        injected: &[hit(Fault::lost(Segment::SynAck).first(1), 1)],
        probing: Probing { timeout: SHORT, ..TWO_ON_ONE_PORT },
        expected: &[
            Expected::new(TimedOut, &[V::TimedOut]),
            Expected::new(Alive, &[V::LateSynack]).about(0),
        ],
        server_counts: reset(2),
        ..PLAIN
    },
    Scenario {
        name: "syn-lost",
        title: "the SYN is lost and retransmitted",
        injected: &[hit(Fault::lost(Segment::Syn).first(1), 1)],
        expected: &[Expected::new(Alive, &[V::SynRetransmitted])],
        ..PLAIN
    },
    Scenario {
        name: "synack-lost",
        title: "the SYN-ACK is lost, and the SYN is retransmitted",
        injected: &[hit(Fault::lost(Segment::SynAck).first(1), 1)],
        // Both ends have a timer of 1 s, and their segments would cross. Without retransmits of its own
        // the server only answers those of the client.
        server_sysctls: &[("net.ipv4.tcp_synack_retries", "0")],
        expected: &[Expected::new(Alive, &[V::SynRetransmitted])],
        ..PLAIN
    },
    Scenario {
        name: "refused",
        title: "nothing listens; the server's host answers with a RST",
        target: TargetKind::ClosedPort,
        expected: &[Expected::new(Refused, &[V::Refused])],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
    Scenario {
        name: "refused-by-icmp",
        title: "a firewall answers with ICMP port unreachable",
        injected: &[rejected(Reject::PortUnreachable)],
        expected: &[Expected::new(Unreachable, &[V::Unreachable])],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
    Scenario {
        name: "host-unreachable",
        title: "a router answers with ICMP host unreachable",
        injected: &[rejected(Reject::HostUnreachable)],
        expected: &[Expected::new(Unreachable, &[V::Unreachable])],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
    Scenario {
        name: "prohibited",
        title: "a firewall answers with ICMP administratively prohibited",
        injected: &[rejected(Reject::AdminProhibited)],
        expected: &[Expected::new(Unreachable, &[V::Unreachable])],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
    Scenario {
        name: "timed-out",
        title: "every SYN is lost",
        injected: &[hit(Fault::lost(Segment::Syn), 1)],
        probing: Probing { timeout: SHORT, ..ONE },
        expected: &[Expected::new(TimedOut, &[V::TimedOut])],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
    Scenario {
        name: "blocked-here",
        title: "this host's own firewall drops every SYN",
        injected: &[hit(Fault::firewalled(Segment::Syn), 2)],
        // The first retransmit is due after 1 s, the next after 2 s.
        probing: Probing { timeout: Duration::from_millis(1_500), ..ONE },
        expected: &[Expected::new(TimedOut, &[V::LocalDrop, V::TimedOut])
            .advising("This host's own firewall")],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
    Scenario {
        name: "port-taken",
        title: "no source port is free: another socket of this host holds the only one",
        host_fault: HostFault::PortTaken,
        expected: &[Expected::new(LocalError, &[V::LocalError])
            .advising("Another socket uses that source port")],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
    Scenario {
        name: "foreign-source",
        title: "the source address does not belong to this host",
        host_fault: HostFault::ForeignSource,
        expected: &[Expected::new(LocalError, &[V::LocalError])
            .advising("The source address does not belong to this host")],
        server_counts: NO_CONNECTION,
        ..PLAIN
    },
];

/// The scenario with this name.
pub(crate) fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}
