//! The flags of `probe-agent check`.

use std::{net::IpAddr, path::PathBuf};

use clap::Args;

use super::choice;

use crate::config::{
    jitter::JitterArg,
    source::{Mark, PortRange},
};
use engine::settings::PortPolicy;
use kernel::layout::Form;
use model::{expect::Expect, time_span::TimeSpan};
use otlp::OtlpArgs;
use report::format::OutputFormat;

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
    about = "Probe targets and say what happened to each probe",
    after_help = format!("{EXAMPLES}{}", super::EXIT_CODES),
    next_line_help = false
)]
pub(crate) struct CheckArgs {
    /// What to probe, as it was written.
    #[arg(
        value_name = "TARGET",
        help = "What to probe: HOST:PORT, 10.0.0.7:80, [2001:db8::7]:443 or [fe80::1%eth0]:80"
    )]
    pub targets: Vec<String>,

    /// Read further targets from a file in UTF-8, one a line; '#' starts a comment, '-' is stdin
    ///
    /// A target may have an interval of its own: `db.example:5432 interval=10s`.
    #[arg(long, value_name = "PATH")]
    pub targets_file: Option<PathBuf>,

    /// Probes per target; 0: until interrupted
    #[arg(short, long, value_name = "N", default_value_t = 1, help_heading = "Schedule")]
    pub count: u64,

    /// Time between the starts of two probes of one target; 0: as fast as possible
    ///
    /// A line of --targets-file may say another for its target. Unless --count is 1, the first probes
    /// of several targets are spread over the interval, or over its first 10 s (over longer where
    /// there are more than 10,000 targets); the first target starts at once. With --count 1 all start
    /// at once.
    #[arg(short, long, value_name = "TIME", default_value = "1s", help_heading = "Schedule")]
    pub interval: TimeSpan,

    /// Vary the time from one probe of a target to its next, by at most this, either way: 10% or 200ms
    #[arg(
        long,
        value_name = "PERCENT|TIME",
        default_value = "0",
        hide_default_value = true,
        help_heading = "Schedule"
    )]
    pub jitter: JitterArg,

    /// Probes started per second at most, over all targets [default: no limit]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        help_heading = "Schedule"
    )]
    pub rate: Option<u32>,

    /// Probes started per second at most to one address, whatever the port [default: no limit]
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        help_heading = "Schedule"
    )]
    pub rate_per_host: Option<u32>,

    /// Probes under way at the same time, over all targets
    #[arg(
        long,
        value_name = "N",
        default_value_t = 256,
        value_parser = clap::value_parser!(u32).range(1..=65_535),
        help_heading = "Schedule"
    )]
    pub concurrency: u32,

    /// How long to wait for the answer to a SYN; 1ms at least
    #[arg(short, long, value_name = "TIME", default_value = "2s", help_heading = "Schedule")]
    pub timeout: TimeSpan,

    /// How long to follow a probe after its close
    ///
    /// A server that did not get the RST sends its SYN-ACK again after 1 s. A window below 1.1 s
    /// cannot see that, and a clean probe is then inferred, not confirmed.
    #[arg(long, value_name = "TIME", default_value = "2s", help_heading = "Schedule")]
    pub settle: TimeSpan,

    /// Threads that run probes
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=256),
        help_heading = "Schedule"
    )]
    pub workers: u32,

    /// Source address [default: as the route says]
    #[arg(long, value_name = "IP", help_heading = "Source")]
    pub source: Option<IpAddr>,

    /// Source port, or a range of them: 40000 or 40000-40999 [default: free ports of this host]
    #[arg(long, value_name = "N[-M]", help_heading = "Source")]
    pub source_port: Option<PortRange>,

    /// Source ports in use at most [default: as many as the schedule needs]
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
    /// A new socket does not move its initial sequence number past the previous probe's window:
    /// a server that still holds a leftover may then refuse a probe although it is up. Only for
    /// reproducing that.
    #[arg(long, help_heading = "Source")]
    pub fresh_sockets: bool,

    /// Let --source be an address that this host does not have, e.g. a virtual IP
    ///
    /// Sets IP_FREEBIND and IP_TRANSPARENT, which needs CAP_NET_ADMIN or CAP_NET_RAW. The answers
    /// must be routed here, or the probes time out.
    #[arg(long, help_heading = "Source")]
    pub freebind: bool,

    /// Send through this network interface (SO_BINDTODEVICE)
    #[arg(long, value_name = "NAME", help_heading = "Source")]
    pub interface: Option<String>,

    /// Mark the packets, for policy routing: 42 or 0x2a (SO_MARK)
    #[arg(long, value_name = "MARK", help_heading = "Source")]
    pub mark: Option<Mark>,

    /// Probe from inside this network namespace: /run/netns/NAME or /proc/PID/ns/net
    #[arg(long, value_name = "PATH", help_heading = "Source")]
    pub netns: Option<PathBuf>,

    /// What a healthy target does
    #[arg(long, value_name = "STATE", default_value = "open", value_parser = choice::expect(), help_heading = "Judging")]
    pub expect: Expect,

    /// Probe without BPF: what went wrong is inferred from TCP_INFO and timing
    #[arg(long, conflicts_with = "require_kernel", help_heading = "Judging")]
    pub no_kernel: bool,

    /// Exit with 3 rather than probe without kernel events
    #[arg(long, help_heading = "Judging")]
    pub require_kernel: bool,

    /// Do not hold back the ACK that would complete a handshake
    ///
    /// The guard is a BPF program on a cgroup of the agent's own. Without it a slow close or a
    /// SYN-ACK that comes twice lets the target's application accept a dead connection.
    #[arg(long, help_heading = "Judging")]
    pub no_ack_guard: bool,

    /// How to read the kernel's tracepoints
    #[arg(
        long,
        value_name = "FORM",
        default_value = "auto",
        value_parser = choice::tracepoints(),
        conflicts_with = "no_kernel",
        help_heading = "Judging"
    )]
    pub tracepoints: Form,

    /// How to print the results
    #[arg(short, long, value_name = "FORMAT", default_value = "table", value_parser = choice::output(), help_heading = "Output")]
    pub output: OutputFormat,

    /// Where spans go.
    #[command(flatten)]
    pub otlp: OtlpArgs,
}
