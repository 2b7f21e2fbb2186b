//! Errors in a configuration: one line each, with the remedy.

use std::{io, net::IpAddr, path::PathBuf};

use ::config::{
    echo::Echo,
    target_spec::{MOST_TARGETS, TargetProblem},
    values::{PortRange, SHORTEST_TIME},
};
use model::time_span::TimeSpan;

use crate::{
    exit::{Exit, Failure, is_shortage},
    targets::file::FileError,
};

/// Why a command line is not a valid configuration. The exit code is 2, or 3 if a privilege is missing.
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
    #[error("target {:?}: {problem}", Echo(name))]
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
        "target {:?}: a link-local address needs its interface; write e.g. [fe80::1%eth0]:80, or give --interface",
        Echo(.0)
    )]
    NeedsZone(String),
    /// A target of the other address family.
    #[error("target {:?} is {}, but --source {source_address} is {}; omit --source, or use one run per address family", Echo(name), family(*target_is_ipv4), family(!target_is_ipv4))]
    SourceFamily {
        /// The target as written.
        name: String,
        /// Its family.
        target_is_ipv4: bool,
        /// `--source`.
        source_address: IpAddr,
    },
    /// A target of the family that `-4` or `-6` excludes.
    #[error("target {:?} is {}, which {flag} excludes; omit {flag}, or use one run per address family", Echo(name), family(*flag == "-6"))]
    Family {
        /// The target as written.
        name: String,
        /// `-4` or `-6`.
        flag: &'static str,
    },
    /// A source address of the family that `-4` or `-6` excludes.
    #[error("--source {source_address} is {}, which {flag} excludes; omit one of them", family(*flag == "-6"))]
    FamilyOfSource {
        /// `--source`.
        source_address: IpAddr,
        /// `-4` or `-6`.
        flag: &'static str,
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
    #[error("--timeout {0}: too short; the minimum is {min}", min = SHORTEST_TIME)]
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
        "--interface {:?}: not an interface name; use 1 to 15 characters without '/', ':' and spaces",
        Echo(.0)
    )]
    Interface(String),
    /// The run's network namespace has no such interface.
    #[error("--interface {0}: no such network interface; 'ip link' lists them")]
    NoInterface(String),
    /// The network namespace cannot be opened.
    #[error("--netns {}: {source}; {}", path.display(), remedy(source))]
    NetnsOpen {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The network namespace may not be entered.
    #[error("--netns {}: cannot enter it: {source}{}", path.display(), capability(source))]
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

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let is_denied = |source: &io::Error| source.kind() == io::ErrorKind::PermissionDenied;
        let exit = match &error {
            ConfigError::NetnsOpen { source, .. }
            | ConfigError::TargetsFile(FileError::Read(_, source))
                if is_shortage(source) =>
            {
                Exit::Unfinished
            }
            ConfigError::NetnsOpen { source, .. } if !is_denied(source) => Exit::Usage,
            // A thread that cannot be started, for example.
            ConfigError::NetnsEnter { source, .. } if !is_denied(source) => Exit::Unfinished,
            ConfigError::NetnsOpen { .. } | ConfigError::NetnsEnter { .. } => Exit::Privilege,
            _ => Exit::Usage,
        };
        Self { line: error.to_string(), exit }
    }
}

fn of(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" of target {:?}", Echo(name)))
}

/// What to do about a namespace that cannot be opened.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "run as root, or grant CAP_SYS_PTRACE for the namespace of another user's process"
        }
        _ => "give e.g. /run/netns/NAME or /proc/PID/ns/net",
    }
}

/// The capability that entering a namespace needs, if that is what is missing.
fn capability(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "; run as root, or grant CAP_SYS_ADMIN",
        _ => "",
    }
}

fn family(ipv4: bool) -> &'static str {
    if ipv4 { "IPv4" } else { "IPv6" }
}
