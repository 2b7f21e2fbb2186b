//! What can be wrong with a configuration, one clear line each.

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::{listed::LineProblem, source::PortRange, target::TargetProblem};
use model::time_span::TimeSpan;

/// Why there is no valid configuration. Each prints as one line with the remedy; the exit code is
/// 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// Neither targets nor a file of them.
    #[error("no target: give HOST:PORT, or --targets-file PATH")]
    NoTargets,
    /// The file of targets holds none.
    #[error("{}: no target in it", file(path))]
    EmptyTargetsFile {
        /// The file.
        path: PathBuf,
    },
    /// The file of targets cannot be read.
    #[error("{}: cannot read the targets: {source}", file(path))]
    TargetsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// More targets than a run can number.
    #[error("{0} targets: one run has at most {MOST_TARGETS}")]
    TooManyTargets(usize),
    /// One target is none.
    #[error("target {name:?}: {problem}")]
    Target {
        /// As it was written.
        name: String,
        /// What is wrong, and what to write.
        problem: TargetProblem,
    },
    /// A line of the file of targets.
    #[error("{}:{line}: {problem}", file(path))]
    TargetsLine {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong, and what to write.
        problem: LineProblem,
    },
    /// A jitter that would start a probe before the one before it.
    #[error("--jitter {jitter}: more than the interval, {interval}{}; write e.g. 10%", of(name.as_deref()))]
    JitterOverInterval {
        /// `--jitter`.
        jitter: TimeSpan,
        /// The interval that is shorter.
        interval: TimeSpan,
        /// The target that has it; `None`: `--interval`.
        name: Option<String>,
    },
    /// A link-local address without its network interface.
    #[error(
        "target {0:?}: a link-local address needs its interface; write e.g. [fe80::1%eth0]:80, or give --interface"
    )]
    NeedsZone(String),
    /// A target of the other address family.
    #[error("target {name:?} is {}, but --source {source_address} is {}; leave --source out or probe them in two runs", family(*target_is_ipv4), family(!target_is_ipv4))]
    SourceFamily {
        /// The target as it was written.
        name: String,
        /// Its family.
        target_is_ipv4: bool,
        /// `--source`.
        source_address: IpAddr,
    },
    /// `--source` can never be a source.
    #[error("--source {0}: no address of one host; leave --source out to let the route choose")]
    SourceAddress(IpAddr),
    /// `--freebind` alone.
    #[error(
        "--freebind needs --source IP: it lets that address be one that this host does not have"
    )]
    FreebindWithoutSource,
    /// Fewer source ports than asked for.
    #[error("--slots {slots} needs as many source ports; --source-port {ports} has {}", ports.count())]
    SlotsOverPorts {
        /// `--slots`.
        slots: u32,
        /// `--source-port`.
        ports: PortRange,
    },
    /// A thread without a port.
    #[error("--workers {workers}: each needs a source port of its own, and there are only {slots}")]
    WorkersOverSlots {
        /// `--workers`.
        workers: u32,
        /// The source ports that the other flags leave.
        slots: u32,
    },
    /// A timeout in which nothing can answer.
    #[error("--timeout {0}: less than 1ms, in which no target answers; give e.g. 2s")]
    ShortTimeout(TimeSpan),
    /// Not the name of a network interface.
    #[error(
        "--interface {0:?}: no interface name; one has 1 to 15 characters without '/' and spaces"
    )]
    Interface(String),
    /// There is no such network interface where the run probes from.
    #[error("--interface {0}: there is none of that name; 'ip link' lists them")]
    NoInterface(String),
    /// The network namespace cannot be opened.
    #[error("--netns {}: {source}; give e.g. /run/netns/NAME or /proc/PID/ns/net", path.display())]
    NetnsOpen {
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
    /// A host name without an address.
    #[error("target {name:?}: cannot resolve {host}: {reason}")]
    Resolve {
        /// The target as it was written.
        name: String,
        /// The part that was looked up.
        host: String,
        /// Why.
        reason: String,
    },
}

/// Target ids are 32 bits wide, and a million targets already take minutes of summary to read.
pub(crate) const MOST_TARGETS: usize = 1_000_000;

/// The file of targets as it is told; `-` is stdin.
fn file(path: &Path) -> std::path::Display<'_> {
    if path == Path::new("-") { Path::new("stdin").display() } else { path.display() }
}

fn of(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" of target {name:?}"))
}

fn family(ipv4: bool) -> &'static str {
    if ipv4 { "IPv4" } else { "IPv6" }
}
