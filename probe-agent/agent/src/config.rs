//! Validates a parsed command line into one configuration.
//!
//! [`load`] reads the file of targets, opens the network namespace and looks where the spans go;
//! [`CheckConfig::new`] is pure.
//! Host names are resolved later, in the namespace that the run uses. Nothing has been started when one
//! of them fails.

mod error;
pub(crate) mod netns;
mod own_streams;
mod rules;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    fs::File,
    io,
    net::IpAddr,
    num::{NonZeroU32, NonZeroU64},
    sync::Arc,
    time::Duration,
};

use ::config::{target_spec::TargetSpec, values::PortRange};
use engine::{
    pacing::{Jitter, Pacing},
    settings::PortPolicy,
};
use kernel::state_hook::StateHookChoice;
use model::{errno::in_words, expect::Expect, time_span::TimeSpan};
use report::format::OutputFormat;

pub(crate) use self::error::ConfigError;
use self::netns::NetworkNamespace;
use crate::{cli::check::CheckArgs, names::Choice, targets::file};

/// A server retransmits its SYN-ACK 1 s after a lost RST; the rest is for the way here.
const SHORTEST_CONFIRMING_SETTLE: Duration = Duration::from_millis(1100);

/// Whether kernel events are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KernelUse {
    /// If they are available.
    Auto,
    /// They are not used.
    Never,
    /// Without them the run does not start.
    Required,
}

/// The configuration of one run of `check`, consistent in itself.
#[derive(Clone, Debug)]
pub(crate) struct CheckConfig {
    /// At least one: those of the command line, then those of the file. Duplicates are allowed.
    pub targets: Vec<TargetSpec>,
    /// The number of targets; once they are resolved, each address of a name is one.
    pub target_count: usize,
    /// Which addresses of names are probed.
    pub choice: Choice,
    /// Probes per target; `None`: until interrupted.
    pub count: Option<NonZeroU64>,
    /// Time between the starts of two probes of one target; zero: as fast as possible.
    pub interval: Duration,
    /// How much the time between two probes varies; never more than any interval.
    pub jitter: Jitter,
    /// Most probes started per second.
    pub rate: Option<NonZeroU32>,
    /// Most probes started per second to one address.
    pub rate_per_host: Option<NonZeroU32>,
    /// In-flight limit; never more than there are source ports.
    pub concurrency: NonZeroU32,
    /// How long to wait for the answer to a SYN; at least 1 ms.
    pub timeout: Duration,
    /// How long to wait for events after the close.
    pub settle: Duration,
    /// Threads that run probes; never more than `concurrency`.
    pub workers: Option<NonZeroU32>,
    /// The source address.
    pub source: Option<IpAddr>,
    /// The source ports to choose from.
    pub source_ports: Option<PortRange>,
    /// Most source ports in use; `None`: as many as the schedule needs.
    pub slots: Option<NonZeroU32>,
    /// When a 4-tuple may be used again.
    pub port_policy: PortPolicy,
    /// Whether each probe uses a new socket.
    pub fresh_sockets: bool,
    /// Whether the source address may be one that this host does not have.
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
    /// Which hook reports state changes.
    pub state_hook: StateHookChoice,
    /// How results are printed.
    pub output: OutputFormat,
    /// Whether JSON lines report each outcome before the settle window of its probe.
    pub early: bool,
}

/// Reads the files that the command line names, and validates everything.
///
/// # Errors
/// One line that says what is wrong and what to write instead.
pub(crate) fn load(args: &CheckArgs) -> Result<CheckConfig, ConfigError> {
    let listed = match &args.targets_file {
        Some(path) => file::read(path)?,
        None => Vec::new(),
    };
    let netns = args.netns.as_deref().map(NetworkNamespace::open).transpose()?;
    let config = CheckConfig::new(args, listed, netns)?;
    args.otlp.otlp_file.as_deref().map_or(Ok(()), own_streams::check)?;
    Ok(config)
}

impl CheckConfig {
    /// Validates a command line together with the targets of its file and its namespace.
    ///
    /// # Errors
    /// The first invalid target, else the first invalid flag.
    pub(crate) fn new(
        args: &CheckArgs,
        listed: Vec<TargetSpec>,
        netns: Option<NetworkNamespace>,
    ) -> Result<Self, ConfigError> {
        let targets = rules::targets(&args.targets, listed)?;
        rules::source(args, &targets)?;
        rules::family(args, &targets)?;
        rules::jitter(args, &targets)?;
        if let Some(name) = &args.interface {
            rules::interface(name)?;
        }
        rules::timeout(args.timeout)?;
        rules::early(args)?;
        let slots = rules::slots(args)?;
        let concurrency = slots.map_or(args.concurrency, |slots| slots.min(args.concurrency));
        Ok(Self {
            target_count: targets.len(),
            targets,
            choice: rules::choice(args),
            count: NonZeroU64::new(args.count),
            interval: args.interval.0,
            jitter: args.jitter.0,
            rate: args.rate.and_then(NonZeroU32::new),
            rate_per_host: args.rate_per_host.and_then(NonZeroU32::new),
            concurrency: at_least_one(concurrency),
            timeout: args.timeout.0,
            settle: args.settle.0,
            workers: args.workers.map(|workers| at_least_one(workers.min(concurrency))),
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
            state_hook: args.tracepoints,
            output: args.output,
            early: args.early,
        })
    }

    /// What is valid but has a cost; one line each.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.settle < SHORTEST_CONFIRMING_SETTLE {
            warnings.push(format!(
                "--settle {}: a server retransmits its SYN-ACK 1 s after a lost RST, so with less \
                 than 1100ms a clean probe is inferred, not confirmed",
                TimeSpan(self.settle)
            ));
        }
        warnings
    }

    /// When the probes start. With one probe per target somebody waits for the result, so all start at
    /// once; otherwise the first probes are spread.
    /// `intervals` are those of targets that have one of their own.
    pub(crate) fn pace(&self, intervals: Box<[Option<Duration>]>) -> Pacing {
        Pacing {
            intervals,
            jitter: self.jitter,
            spread: self.count != NonZeroU64::new(1),
            rate: self.rate,
            rate_per_host: self.rate_per_host,
        }
    }

    /// The open network namespace to probe from; `None`: the agent's own.
    pub(crate) fn netns_file(&self) -> Option<Arc<File>> {
        self.netns.as_ref().map(NetworkNamespace::file)
    }

    /// The error for a network namespace that could not be entered.
    pub(crate) fn cannot_enter_netns(&self, error: io::Error) -> ConfigError {
        let path = self.netns.as_ref().map(|netns| netns.path().to_owned()).unwrap_or_default();
        ConfigError::NetnsEnter { path, source: in_words(error) }
    }

    /// Probes of the whole run; `None`: until interrupted.
    pub(crate) fn total_probes(&self) -> Option<u64> {
        self.count.map(|count| count.get().saturating_mul(self.target_count as u64))
    }
}

/// The flags' parsers have refused zero.
fn at_least_one(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap_or(NonZeroU32::MIN)
}
