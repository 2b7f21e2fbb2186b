//! The flags of `probe-agent check`.

use std::{net::IpAddr, path::PathBuf};

use ::config::values::{Mark, PortRange};
use clap::Args;
use engine::settings::PortPolicy;
use kernel::state_hook::StateHookChoice;
use model::{expect::Expect, time_span::TimeSpan};
use otlp::OtlpArgs;
use report::format::OutputFormat;

use super::{choice, values::JitterArg};
use crate::names::Resolve;

const EXAMPLES: &str = "\
Examples:
  probe-agent check db.example:5432 [2001:db8::7]:443
  probe-agent check 10.0.0.7:80 --count 100 --interval 100ms --output jsonl
  probe-agent check 10.0.0.7:80 --count 10000 --interval 0 --output ladder
  probe-agent check --targets-file fleet.txt -c 0 -i 10s --jitter 10% --rate-per-host 5
  probe-agent check 10.0.0.9:23 --expect closed
  probe-agent check 10.96.0.10:53 --netns /proc/4711/ns/net
  probe-agent check 10.0.0.7:80 --source 192.0.2.1 --freebind

";

/// The flags of `check`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Probe targets and explain what happened to each probe",
    after_help = format!("{EXAMPLES}{}", super::EXIT_CODES),
    next_line_help = false
)]
pub(crate) struct CheckArgs {
    /// Targets as the user wrote them.
    #[arg(
        value_name = "TARGET",
        help = "Targets to probe: db.example:5432, 10.0.0.7:80, [2001:db8::7]:443 or [fe80::1%eth0]:80"
    )]
    pub targets: Vec<String>,

    /// Read more targets from a UTF-8 file, one per line; '#' starts a comment, '-' means stdin
    ///
    /// A line can set the interval of its target: `db.example:5432 interval=10s`.
    #[arg(long, value_name = "PATH")]
    pub targets_file: Option<PathBuf>,

    /// Probe only the IPv4 addresses of host names
    #[arg(short = '4', long, conflicts_with = "ipv6", help_heading = "Names")]
    pub ipv4: bool,

    /// Probe only the IPv6 addresses of host names
    #[arg(short = '6', long, help_heading = "Names")]
    pub ipv6: bool,

    /// Which addresses of a host name to probe
    ///
    /// A name is looked up in /etc/hosts and with the name servers of /etc/resolv.conf, and again when its
    /// answer is no longer valid (its TTL, but between 1 s and 1 h). A name that does not resolve is a
    /// local error, and is looked up again at its interval, but at least every 30 s.
    #[arg(long, value_name = "WHICH", default_value = "all", value_parser = choice::resolve(), help_heading = "Names")]
    pub resolve: Resolve,

    /// Probes per target; 0 means until interrupted
    #[arg(short, long, value_name = "N", default_value_t = 1, help_heading = "Schedule")]
    pub count: u64,

    /// Time between the starts of two probes of the same target; 0 means as fast as possible
    ///
    /// A line of --targets-file can set another interval for its target. With --count 1, all targets
    /// start at once. Otherwise the first target starts at once and the others are spread over the
    /// interval, but over 10 s at most (longer with more than 10,000 targets).
    #[arg(short, long, value_name = "TIME", default_value = "1s", help_heading = "Schedule")]
    pub interval: TimeSpan,

    /// Vary the time between two probes of a target by up to this much, either way: 10% or 200ms
    #[arg(long, value_name = "PERCENT|TIME", default_value = "0", help_heading = "Schedule")]
    pub jitter: JitterArg,

    /// Start at most this many probes per second, over all targets [default: no limit]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        help_heading = "Schedule"
    )]
    pub rate: Option<u32>,

    /// Start at most this many probes per second to one address, on any port [default: no limit]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        help_heading = "Schedule"
    )]
    pub rate_per_host: Option<u32>,

    /// Maximum number of probes in flight, over all targets
    #[arg(
        long,
        value_name = "N",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=65_535),
        help_heading = "Schedule"
    )]
    pub concurrency: u32,

    /// How long to wait for the answer to a SYN; at least 1ms
    #[arg(short, long, value_name = "TIME", default_value = "2s", help_heading = "Schedule")]
    pub timeout: TimeSpan,

    /// How long to observe a probe after its close
    ///
    /// A server that did not receive the RST retransmits its SYN-ACK after 1 s. With less than 1.1 s
    /// the agent cannot see that, and a clean probe is inferred instead of confirmed.
    #[arg(long, value_name = "TIME", default_value = "2s", help_heading = "Schedule")]
    pub settle: TimeSpan,

    /// Threads that run probes [default: 1, or up to one per core where there is much to do]
    ///
    /// By itself a run takes a further thread for each 20,000 probes per second that it is to start, if it
    /// has 20,000 probes or more and 16 of them may be in flight for each thread. Cores are those that this
    /// process may use: its CPU affinity and its cgroup's limit count.
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=256),
        help_heading = "Schedule"
    )]
    pub workers: Option<u32>,

    /// Source address [default: chosen by the routing table]
    #[arg(long, value_name = "IP", help_heading = "Source")]
    pub source: Option<IpAddr>,

    /// Source port or range of ports: 40000 or 40000-40999 [default: free ports of this host]
    #[arg(long, value_name = "N[-M]", help_heading = "Source")]
    pub source_port: Option<PortRange>,

    /// Maximum number of source ports in use [default: as many as the schedule needs]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=65_535),
        help_heading = "Source"
    )]
    pub slots: Option<u32>,

    /// When a source port may probe the same target again
    #[arg(long, value_name = "POLICY", default_value = "rotate", value_parser = choice::port_policy(), help_heading = "Source")]
    pub port_policy: PortPolicy,

    /// Use a new socket for each probe, as other checkers do
    ///
    /// Use this only to reproduce a false refusal. A new socket does not move its initial sequence
    /// number past the previous probe's window. A server with a stale half-open connection may then
    /// refuse a probe although it is up.
    #[arg(long, help_heading = "Source")]
    pub fresh_sockets: bool,

    /// Allow a --source address that this host does not have, such as a virtual IP
    ///
    /// Sets IP_FREEBIND and IP_TRANSPARENT, which needs CAP_NET_ADMIN or CAP_NET_RAW. The answers
    /// must be routed to this host, or the probes time out.
    #[arg(long, help_heading = "Source")]
    pub freebind: bool,

    /// Send through this network interface (SO_BINDTODEVICE)
    #[arg(long, value_name = "NAME", help_heading = "Source")]
    pub interface: Option<String>,

    /// Mark packets for policy routing (SO_MARK): 42 or 0x2a
    #[arg(long, value_name = "MARK", help_heading = "Source")]
    pub mark: Option<Mark>,

    /// Probe from this network namespace: /run/netns/NAME or /proc/PID/ns/net
    #[arg(long, value_name = "PATH", help_heading = "Source")]
    pub netns: Option<PathBuf>,

    /// What a healthy target does
    #[arg(long, value_name = "STATE", default_value = "open", value_parser = choice::expect(), help_heading = "Judging")]
    pub expect: Expect,

    /// Probe without BPF; causes are inferred from TCP_INFO and timing
    #[arg(long, conflicts_with = "require_kernel", help_heading = "Judging")]
    pub no_kernel: bool,

    /// Exit with code 3 if kernel events are not available
    #[arg(long, help_heading = "Judging")]
    pub require_kernel: bool,

    /// Do not hold back the ACK that would complete a handshake
    ///
    /// The ACK guard is a BPF program on the agent's own cgroup. Without it, after a late close or a
    /// duplicate SYN-ACK, the target's application may accept a dead connection.
    #[arg(long, help_heading = "Judging")]
    pub no_ack_guard: bool,

    /// How the kernel reports state changes
    #[arg(
        long,
        value_name = "FORM",
        default_value = "auto",
        value_parser = choice::tracepoints(),
        conflicts_with = "no_kernel",
        help_heading = "Judging"
    )]
    pub tracepoints: StateHookChoice,

    /// How to print the results
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = choice::output(), help_heading = "Output")]
    pub output: OutputFormat,

    /// With --output jsonl: report each outcome as soon as it is known, before the settle window
    ///
    /// Such a line has "type":"outcome" and neither verdicts nor proof. The probe's own line follows when
    /// its settle window has passed; both have the same "probe" and "start_unix_nano".
    #[arg(long, help_heading = "Output")]
    pub early: bool,

    /// Where spans go.
    #[command(flatten)]
    pub otlp: OtlpArgs,
}
