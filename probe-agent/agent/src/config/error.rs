//! Errors in a configuration: one line each, with the remedy.

use std::{io, net::IpAddr, path::PathBuf, time::Duration};

use model::time_span::TimeSpan;

use crate::{
    cli::values::PortRange,
    targets::{file::FileError, spec::TargetProblem},
};

/// Target ids are 32 bits wide, and a summary of a million targets already takes minutes to read.
pub(super) const MOST_TARGETS: usize = 1_000_000;

/// No network answers in less than about 10 us, and timers are not much more precise than this.
pub(super) const SHORTEST_TIMEOUT: Duration = Duration::from_millis(1);

/// Why a command line is not a valid configuration. The exit code is 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Neither targets nor a file of them.
    #[error("no target: give HOST:PORT, or --targets-file PATH")]
    NoTargets,
    /// `--targets-file` does not give targets.
    #[error(transparent)]
    TargetsFile(#[from] FileError),
    /// More targets than a run can number.
    #[error("{0} targets: one run takes at most {MOST_TARGETS}")]
    TooManyTargets(usize),
    /// An invalid target.
    #[error("target {name:?}: {problem}")]
    Target {
        /// As written.
        name: String,
        /// What is wrong, and what to write.
        problem: TargetProblem,
    },
    /// A jitter that would start a probe before the one before it.
    #[error("--jitter {jitter} is longer than the interval{}, {interval}; write e.g. 10%", of(name.as_deref()))]
    JitterOverInterval {
        /// `--jitter`.
        jitter: TimeSpan,
        /// The shorter interval.
        interval: TimeSpan,
        /// The target that sets it; `None`: `--interval`.
        name: Option<String>,
    },
    /// A link-local address without its network interface.
    #[error(
        "target {0:?}: a link-local address needs its interface; write e.g. [fe80::1%eth0]:80, or give --interface"
    )]
    NeedsZone(String),
    /// A target of the other address family.
    #[error("target {name:?} is {}, but --source {source_address} is {}; omit --source, or use one run per address family", family(*target_is_ipv4), family(!target_is_ipv4))]
    SourceFamily {
        /// The target as written.
        name: String,
        /// Its family.
        target_is_ipv4: bool,
        /// `--source`.
        source_address: IpAddr,
    },
    /// `--source` is not a unicast address.
    #[error(
        "--source {0}: not the address of a single host; omit --source to let the routing table choose"
    )]
    SourceAddress(IpAddr),
    /// `--freebind` without `--source`.
    #[error("--freebind needs --source IP, the address that this host does not have")]
    FreebindWithoutSource,
    /// Fewer source ports than asked for.
    #[error("--slots {slots} needs {slots} source ports, but --source-port {ports} has {}", ports.count())]
    SlotsOverPorts {
        /// `--slots`.
        slots: u32,
        /// `--source-port`.
        ports: PortRange,
    },
    /// Fewer source ports than workers.
    #[error(
        "--workers {workers}: each worker needs its own source port, but --slots or --source-port allows only {slots}"
    )]
    WorkersOverSlots {
        /// `--workers`.
        workers: u32,
        /// The source ports that the other flags leave.
        slots: u32,
    },
    /// `--early` with an output that has no early outcomes.
    #[error("--early needs --output jsonl: each outcome is then a line of its own")]
    EarlyNeedsJsonl,
    /// A timeout in which no target can answer.
    #[error("--timeout {0}: too short; the minimum is {min}", min = TimeSpan(SHORTEST_TIMEOUT))]
    ShortTimeout(TimeSpan),
    /// `--otlp-file` is a stream of this program.
    #[error("--otlp-file {}: {stream} is for the {holds}; name another file", path.display())]
    OwnStream {
        /// The path.
        path: PathBuf,
        /// `stdout` or `stderr`.
        stream: &'static str,
        /// What is written there.
        holds: &'static str,
    },
    /// Not the name of a network interface.
    #[error(
        "--interface {0:?}: not an interface name; use 1 to 15 characters without '/', ':' and spaces"
    )]
    Interface(String),
    /// The run's network namespace has no such interface.
    #[error("--interface {0}: no such network interface; 'ip link' lists them")]
    NoInterface(String),
    /// The network namespace cannot be opened.
    #[error("--netns {}: {source}; give e.g. /run/netns/NAME or /proc/PID/ns/net", path.display())]
    NetnsOpen {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The network namespace may not be entered.
    #[error("--netns {}: cannot enter it ({source}): run as root, or grant CAP_SYS_ADMIN", path.display())]
    NetnsEnter {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The path is something else.
    #[error("--netns {}: {found}, not a network namespace; give e.g. /run/netns/NAME or /proc/PID/ns/net", path.display())]
    NetnsKind {
        /// The path.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
}

fn of(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" of target {name:?}"))
}

fn family(ipv4: bool) -> &'static str {
    if ipv4 { "IPv4" } else { "IPv6" }
}
