//! The validated configuration of `probe-agent check`.

mod rules;

use std::{
    net::IpAddr,
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use super::{
    error::ConfigError, listed, netns::NetworkNamespace, source::PortRange, target::TargetSpec,
};
use crate::cli::check::CheckArgs;
use engine::pacing::{Jitter, Pacing};
use engine::settings::PortPolicy;
use kernel::layout::Form;
use model::{expect::Expect, time_span::TimeSpan};
use report::format::OutputFormat;

/// A server sends its SYN-ACK again 1 s after a lost RST; the rest is for the way here.
const SHORTEST_TELLING_SETTLE: Duration = Duration::from_millis(1100);

/// Whether kernel events are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KernelUse {
    /// Where they can be had.
    Auto,
    /// Not at all.
    Never,
    /// Or the run does not start.
    Required,
}

/// All that a run of `check` is told, consistent in itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CheckConfig {
    /// At least one, in the order of the command line, then of the file; duplicates are allowed.
    pub targets: Vec<TargetSpec>,
    /// How many they are, also when [`Self::targets`] has been taken out.
    pub target_count: usize,
    /// Probes per target; `None`: until interrupted.
    pub count: Option<NonZeroU64>,
    /// Between the starts of two probes of one target; zero: as fast as possible.
    pub interval: Duration,
    /// By how much the times between two probes vary; no more than any interval.
    pub jitter: Jitter,
    /// Probes started per second at most.
    pub rate: Option<NonZeroU32>,
    /// Probes started per second to one address at most.
    pub rate_per_host: Option<NonZeroU32>,
    /// Probes under way at the same time; never more than there are source ports.
    pub concurrency: NonZeroU32,
    /// For the answer to a SYN; at least 1 ms.
    pub timeout: Duration,
    /// For late events after the close.
    pub settle: Duration,
    /// Threads that run probes; never more than `concurrency`.
    pub workers: NonZeroU32,
    /// The source address.
    pub source: Option<IpAddr>,
    /// The source ports to choose from.
    pub source_ports: Option<PortRange>,
    /// Source ports in use at most; `None`: as many as the schedule needs.
    pub slots: Option<NonZeroU32>,
    /// When a 4-tuple may be used again.
    pub port_policy: PortPolicy,
    /// A new socket for each probe.
    pub fresh_sockets: bool,
    /// The source address need not be one of this host.
    pub freebind: bool,
    /// The network interface to send through.
    pub interface: Option<String>,
    /// The mark of the packets.
    pub mark: Option<u32>,
    /// The network namespace to probe from, opened and checked.
    pub netns: Option<NetworkNamespace>,
    /// What a healthy target does.
    pub expect: Expect,
    /// Whether kernel events are used.
    pub kernel: KernelUse,
    /// Whether ACKs that would complete a handshake are held back.
    pub ack_guard: bool,
    /// Which form of the tracepoints is used.
    pub tracepoints: Form,
    /// How results are printed.
    pub output: OutputFormat,
}

/// Reads what the command line points to, and validates all of it.
///
/// # Errors
/// One line that says what is wrong and what to write in its place.
pub(crate) fn load(args: &CheckArgs) -> Result<CheckConfig, ConfigError> {
    let listed = match &args.targets_file {
        Some(path) => listed::read(path)?,
        None => Vec::new(),
    };
    let netns = args.netns.as_deref().map(NetworkNamespace::open).transpose()?;
    CheckConfig::new(args, listed, netns)
}

impl CheckConfig {
    /// Validates a command line, together with the targets of its file and its namespace.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the targets, then of the flags.
    pub(crate) fn new(
        args: &CheckArgs,
        listed: Vec<TargetSpec>,
        netns: Option<NetworkNamespace>,
    ) -> Result<Self, ConfigError> {
        let targets = rules::targets(&args.targets, listed)?;
        rules::source(args, &targets)?;
        rules::jitter(args, &targets)?;
        if let Some(name) = &args.interface {
            rules::interface(name)?;
        }
        rules::timeout(args.timeout)?;
        let slots = rules::slots(args)?;
        let concurrency = slots.map_or(args.concurrency, |slots| slots.min(args.concurrency));
        Ok(Self {
            target_count: targets.len(),
            targets,
            count: NonZeroU64::new(args.count),
            interval: args.interval.0,
            jitter: args.jitter.0,
            rate: args.rate.and_then(NonZeroU32::new),
            rate_per_host: args.rate_per_host.and_then(NonZeroU32::new),
            concurrency: at_least_one(concurrency),
            timeout: args.timeout.0,
            settle: args.settle.0,
            workers: at_least_one(args.workers.min(concurrency)),
            source: args.source,
            source_ports: args.source_port,
            slots: slots.map(at_least_one),
            port_policy: args.port_policy,
            fresh_sockets: args.fresh_sockets,
            freebind: args.freebind,
            interface: args.interface.clone(),
            mark: args.mark.map(|mark| mark.0),
            netns,
            expect: args.expect,
            kernel: match (args.no_kernel, args.require_kernel) {
                (true, _) => KernelUse::Never,
                (false, true) => KernelUse::Required,
                (false, false) => KernelUse::Auto,
            },
            ack_guard: !args.no_ack_guard,
            tracepoints: args.tracepoints,
            output: args.output,
        })
    }

    /// What is allowed but should be known, one line each, for stderr.
    #[must_use]
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.settle < SHORTEST_TELLING_SETTLE {
            warnings.push(format!(
                "--settle {}: a server resends its SYN-ACK 1 s after a lost RST, so below 1100ms \
                 a clean probe is inferred, not confirmed",
                TimeSpan(self.settle)
            ));
        }
        warnings
    }

    /// When the probes start. A single probe of each target is waited for by somebody: only where
    /// there are more are the first ones spread.
    #[must_use]
    pub(crate) fn pace(&self) -> Pacing {
        let own = self.targets.iter().any(|target| target.interval.is_some());
        let intervals = self.targets.iter().filter(|_| own).map(|target| target.interval);
        Pacing {
            intervals: intervals.collect(),
            jitter: self.jitter,
            spread: self.count != NonZeroU64::new(1),
            rate: self.rate,
            rate_per_host: self.rate_per_host,
        }
    }

    /// Probes of the whole run; `None`: until interrupted.
    #[must_use]
    pub(crate) fn total_probes(&self) -> Option<u64> {
        self.count.map(|count| count.get().saturating_mul(self.target_count as u64))
    }
}

/// Zero was refused by the parser of the flag; 1 is what it would mean.
fn at_least_one(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN)
}
