//! `probe-agent check`: from the parsed command line to the exit code.

mod export;
mod kernel_events;
mod names;
mod output;
mod plan;
mod privileges;
mod results;
mod slots;
mod workers;

use std::{mem, sync::Arc};

use anyhow::Context;
use engine::session;
use kernel::clock::Clock;
use model::errno::in_words;
use otlp::OtlpConfig;
use report::stats::RunCounts;
use tracing::{debug, warn};

use self::output::CheckOutput;
use crate::{
    cli::check::CheckArgs,
    commands::{exporter, memory},
    config::{self, CheckConfig, ConfigError},
    exit::{Exit, Failure},
    signals::Interrupts,
    targets::resolve::{self, Resolved},
};

/// Runs `check`. An invalid command line is reported before anything has been started.
///
/// # Errors
/// Why the run did not start or could not finish.
pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    memory::keep_little();
    let mut config = config::load(args)?;
    let otlp = OtlpConfig::new(&args.otlp, exporter::variable, exporter::ignored)
        .map_err(Failure::usage)?;
    let Resolved { names, intervals, watch } = addresses(&mut config)?;
    config.target_count = names.targets().len();
    let (names, pacing) = (Arc::new(names), config.pace(intervals));
    for warning in config.warnings() {
        warn!("{warning}");
    }
    let plan = plan::plan(&config, Arc::clone(&names), pacing, otlp.is_some())?;
    // From here on a signal ends the run cleanly: loading the programs makes a cgroup, which must be
    // left. The second signal abandons the delivery of spans, the third ends the process.
    let interrupts = Interrupts::install(2)?;
    let hooks = kernel_events::load(&config, &plan)?;
    memory::give_back();
    let cannot_probe =
        |error| Failure::other(anyhow::Error::from(in_words(error)).context("cannot probe"));
    session::check_memory(&plan).map_err(cannot_probe)?;
    let clock = Clock::sample().context("cannot read the clocks").map_err(Failure::other)?;
    let exporter = otlp.map(|otlp| export::start(otlp, &plan, clock)).transpose()?;
    let stop = Arc::clone(interrupts.stop());
    let tracer = hooks.as_ref().map(|(tracer, _)| Arc::clone(tracer));
    let mut output = CheckOutput::new(&config, &plan, tracer, exporter, clock, interrupts);
    let counts = || RunCounts::new(plan.targets.len());
    output.follow_names(watch, names);
    debug!(workers = plan.workers, "probing starts");
    let result = session::run(&plan, hooks, &stop, counts, &mut output);
    output.leave_names();
    let mut result = result.map_err(cannot_probe)?;
    let failure = result.failure.take();
    debug!(
        interrupted = result.ended.interrupted,
        events_lost = result.ended.events_lost,
        worker_stalls = result.worker_stalls,
        "probing has ended"
    );
    let exit = output.finish(&plan, &result)?;
    // After the report: it has what there is.
    match failure.map(in_words) {
        Some(error) => Err(error).context("probing ended early").map_err(Failure::other),
        None => Ok(exit),
    }
}

/// Resolves the targets in the network namespace of the run, and checks what else depends on it.
fn addresses(config: &mut CheckConfig) -> Result<Resolved, Failure> {
    let specs = mem::take(&mut config.targets);
    engine::runtime::inside(config.netns_file().as_ref(), || {
        if let Some(name) = &config.interface
            && resolve::interface_index(name).is_none()
        {
            return Err(Failure::usage(ConfigError::NoInterface(name.clone())));
        }
        if let Some(source) = config.source {
            engine::source_address::check(source)
                .map_err(|_| Failure::usage(ConfigError::SourceAddress(source)))?;
        }
        privileges::check(config).map_err(Failure::privilege)?;
        resolve::resolve(specs, config.choice, config.interval, config.timeout)
            .map_err(Failure::usage)
    })
    .map_err(|error| Failure::from(config.cannot_enter_netns(error)))?
}
