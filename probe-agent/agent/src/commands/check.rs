//! `probe-agent check`: from the command line to the exit code.

mod delivery;
mod limits;
mod memory;
mod output;
mod privilege;

use std::{
    io::{self, BufWriter, IsTerminal},
    net::IpAddr,
    num::NonZeroU64,
    sync::Arc,
    time::Instant,
};

use anyhow::Context;

use self::output::CheckOutput;
use crate::{
    cli::check::CheckArgs,
    config::{CheckConfig, ConfigError, load, resolve},
    exit::{Exit, Failure},
    signals::Interrupts,
    words::say,
};
use engine::{
    pace::Pacing,
    session::{self, Plan, ReportFilter},
    settings::{Settings, SocketSettings},
};
use kernel::{
    clock::Clock,
    loader::{Rings, Tracer},
};
use model::{errno::in_words, target::Target};
use otlp::{Exporter, HostFacts, OtlpConfig};
use report::{
    format::OutputFormat,
    progress::Progress,
    reporter::{Reporter, RunShape},
    stats::RunCounts,
    style::Look,
};

/// Runs `check`. What is wrong with the command line comes back as the error, before anything was
/// started.
///
/// # Errors
/// One line for stderr, and the exit code that goes with it.
pub(crate) fn run(args: &CheckArgs) -> Result<Exit, Failure> {
    let mut config = load(args).map_err(Failure::usage)?;
    let otlp =
        OtlpConfig::new(&args.otlp, |name| std::env::var(name).ok()).map_err(Failure::usage)?;
    let netns = config.netns.as_ref().map(|n| n.file());
    let pace = config.pace();
    let specs = std::mem::take(&mut config.targets);
    let targets = session::inside(netns.as_ref(), || {
        if let Some(name) = &config.interface {
            resolve::interface(name)?;
        }
        if let Some(source) = config.source {
            engine::source::check(source).map_err(|_| ConfigError::SourceAddress(source))?;
        }
        resolve::resolve(specs, config.source, config.timeout, Arc::new(resolve::system))
    })
    .map_err(|e| privilege::netns(&config, e))?
    .map_err(Failure::usage)?;
    for warning in config.warnings() {
        say(warning);
    }
    let plan = plan(&config, targets.into(), pace, otlp.is_some())?;
    // Before there is a cgroup to leave: from here on an interrupt tidies up. It lets the second signal
    // end the delivery of spans, which may take long, and the third the process.
    let interrupts =
        Interrupts::hear(2).context("installing the signal handlers").map_err(Failure::other)?;
    let tracing = privilege::tracing(&config, &plan)?;
    memory::give_back();
    let clock = Clock::sample().context("reading the clocks").map_err(Failure::other)?;
    let exporter = match otlp {
        Some(otlp) => Some(start_exporter(otlp, &plan, clock)?),
        None => None,
    };
    probe(&config, &plan, tracing, exporter, clock, interrupts).map_err(Failure::other)
}

fn start_exporter(otlp: OtlpConfig, plan: &Plan, clock: Clock) -> Result<Exporter, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    let host = HostFacts::detect().context("random bytes").map_err(Failure::other)?;
    let resource = otlp::resource(env, &host).map_err(Failure::usage)?;
    let tell = |line: &str| say(line);
    Exporter::start(otlp, resource, Arc::clone(&plan.targets), clock, tell).map_err(Failure::usage)
}

/// The engine's orders.
fn plan(
    config: &CheckConfig,
    targets: Arc<[Target]>,
    pace: Pacing,
    export: bool,
) -> Result<Plan, Failure> {
    let workers = config.workers.get();
    let limits = limits::slots(config).map_err(Failure::usage)?;
    let shape = shape(config, &targets);
    Ok(Plan {
        settings: Settings {
            interval: config.interval,
            concurrency: (limits.concurrency / workers).max(1) as usize,
            timeout: config.timeout,
            settle: config.settle,
            slots: (limits.slots / workers).max(1),
            first_slot: 0,
            port_policy: config.port_policy,
            expect: config.expect,
            socket: SocketSettings {
                source: config.source.map(|ip: IpAddr| ip.to_canonical()),
                ports: config.source_ports.map(|p| p.ports()),
                interface: config.interface.clone(),
                mark: config.mark,
                freebind: config.freebind,
                fresh_sockets: config.fresh_sockets,
            },
        },
        targets,
        count: config.count.map(NonZeroU64::get),
        pace,
        workers,
        netns: config.netns.as_ref().map(|n| n.file()),
        ack_guard: config.ack_guard,
        tracepoints: config.tracepoints,
        filter: if export { ReportFilter::All } else { shape.filter(config.output) },
    })
}

fn shape(config: &CheckConfig, targets: &Arc<[Target]>) -> RunShape {
    RunShape { targets: Arc::clone(targets), count: config.count, expect: config.expect }
}

/// Probes, reports and exports; the telemetry is flushed before the summary is printed.
fn probe(
    config: &CheckConfig,
    plan: &Plan,
    tracing: Option<(Arc<Tracer>, Rings)>,
    exporter: Option<Exporter>,
    clock: Clock,
    interrupts: Interrupts,
) -> anyhow::Result<Exit> {
    let stop = Arc::clone(interrupts.stop());
    let traced = tracing.is_some();
    let mut output = CheckOutput {
        reporter: Reporter::new(
            config.output,
            BufWriter::new(io::stdout()),
            shape(config, &plan.targets),
            Look::of_stdout(),
            clock,
        ),
        progress: Progress::on_stderr(),
        prints_over_progress: config.output != OutputFormat::Table && io::stdout().is_terminal(),
        exporter,
        began: Instant::now(),
        total: config.total_probes(),
        closed: false,
        unwritten: None,
        stall_told: false,
        tracer: tracing.as_ref().map(|(tracer, _)| Arc::clone(tracer)),
        interrupts,
    };
    let counts = || RunCounts::new(plan.targets.len());
    let result = session::run(plan, tracing, &stop, counts, &mut output)
        .map_err(in_words)
        .context("probing")?;
    output.finish(plan, &result, traced)
}
