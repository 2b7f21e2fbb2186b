//! Passes on what the run reports: to the results, the progress line and the export.

use std::{
    io::{self, BufWriter, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::anyhow;
use engine::{
    early::EarlyReport,
    gauges::Gauges,
    pacing::Pacing,
    session::{Output, Plan, RunResult},
};
use explain::Judged;
use kernel::{clock::Clock, loader::Tracer, monotonic};
use model::{expect::Expect, record::HalfOpen};
use otlp::Exporter;
use probe_agent_common::Counter;
use report::{
    format::OutputFormat,
    progress::{Progress, Snapshot},
    reporter::Reporter,
    stats::{RunCounts, RunFacts},
    style::Look,
};
use tracing::warn;

use super::{
    export::{Delivered, deliver},
    plan::shape,
    results::Results,
};
use crate::{
    config::CheckConfig,
    exit::{Ending, Exit, Failure},
    signals::Interrupts,
};

/// Bytes of the report that are written at once: as many as a pipe holds. At full speed, each call of
/// `write()` costs as much as some lines of JSON.
const WRITE_AT_ONCE: usize = 64 * 1024;

/// The output of one run.
pub(super) struct CheckOutput {
    results: Results,
    progress: Progress<io::Stderr>,
    /// Whether probes are printed to a terminal during the run, where the progress line may be.
    prints_over_progress: bool,
    prints_every_probe: bool,
    /// Whether a run without an end prints its figures. Where a progress line shows them beside the results, it
    /// need not.
    prints_figures: bool,
    exporter: Option<Exporter>,
    /// Whether probes start as fast as they can. The export may then hold them back. A schedule is kept
    /// instead, and spans that find the queue full are dropped.
    unpaced: bool,
    tracer: Option<Arc<Tracer>>,
    interrupts: Interrupts,
    start: Instant,
    /// Probes of the whole run; `None`: until interrupted.
    total: Option<u64>,
    expect: Expect,
    /// Whether a stalled worker has been reported.
    stall_reported: bool,
}

impl Output for CheckOutput {
    fn probe(&mut self, judged: Judged) -> io::Result<()> {
        let probe = explain::explain(judged);
        // A confirmation probe is part of the probe that it confirms.
        if probe.timeline.probe.confirms.is_none() {
            self.make_room();
            self.results.probe(&probe);
        }
        if let Some(exporter) = &self.exporter {
            if self.unpaced {
                // A second signal abandons what is not delivered.
                exporter.wait_for_room(|| self.interrupts.received() > 1);
            }
            exporter.offer(probe);
        }
        Ok(())
    }

    fn ended(&mut self, report: EarlyReport) -> io::Result<()> {
        self.make_room();
        self.results.ended(&report);
        Ok(())
    }

    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()> {
        let now = self.snapshot(gauges);
        if self.prints_figures {
            self.results.tick(&now);
        }
        // The results first, so that none of them ends behind the progress line.
        if self.prints_over_progress && self.results.has_unflushed() {
            self.progress.clear();
        }
        self.results.flush();
        self.progress.draw(&now);
        Ok(())
    }

    fn stalled(&mut self, worker: usize) {
        // Once is enough on a busy machine: the summary counts every stall.
        if !self.stall_reported {
            self.stall_reported = true;
            warn!(
                worker,
                "worker {worker} stalled for over a second: its probes start late and time out \
                 late (worker_stalls in the summary counts every stall)"
            );
        }
    }
}

impl CheckOutput {
    pub(super) fn new(
        config: &CheckConfig,
        plan: &Plan,
        tracer: Option<Arc<Tracer>>,
        exporter: Option<Exporter>,
        clock: Clock,
        interrupts: Interrupts,
    ) -> Self {
        let stdout = io::stdout();
        let prints_every_probe = config.output != OutputFormat::Table;
        let prints_during_run = prints_every_probe || config.count.is_none();
        let reporter = Reporter::new(
            config.output,
            BufWriter::with_capacity(WRITE_AT_ONCE, io::stdout()),
            shape(config, &plan.targets),
            Look::of_stdout(),
            clock,
        );
        Self {
            results: Results::new(reporter, Arc::clone(interrupts.stop())),
            progress: Progress::on_stderr(),
            prints_over_progress: prints_during_run && stdout.is_terminal(),
            prints_every_probe,
            prints_figures: !(stdout.is_terminal() && io::stderr().is_terminal()),
            exporter,
            unpaced: is_unpaced(plan),
            tracer,
            interrupts,
            start: Instant::now(),
            total: config.total_probes(),
            expect: config.expect,
            stall_reported: false,
        }
    }

    /// Clears the progress line before a result that may be written at once. The few lines above a table are
    /// written at the next tick.
    fn make_room(&mut self) {
        if self.prints_over_progress && self.prints_every_probe {
            self.progress.clear();
        }
    }

    fn snapshot(&self, gauges: &[Arc<Gauges>]) -> Snapshot {
        let sum = |read: fn(&Gauges) -> &AtomicU64| {
            gauges.iter().map(|g| read(g).load(Ordering::Relaxed)).sum::<u64>()
        };
        Snapshot {
            elapsed: self.start.elapsed(),
            at: monotonic::now(),
            ended: sum(|g| &g.ended),
            total: self.total,
            expect: self.expect,
            alive: sum(|g| &g.alive),
            unexpected_targets: self.results.unexpected_targets(),
            in_flight: sum(|g| &g.in_flight),
            settling: sum(|g| &g.settling),
            events_lost: self.tracer.as_ref().map_or(0, |t| t.events_lost()),
        }
    }

    /// Delivers the last spans, then prints the summary, which counts them.
    ///
    /// # Errors
    /// The results could not be written.
    pub(super) fn finish(
        mut self,
        plan: &Plan,
        result: &RunResult<RunCounts>,
    ) -> Result<Exit, Failure> {
        self.progress.clear();
        let exporter = self.exporter.take();
        let Delivered { spans, abandoned } =
            exporter.map(|exporter| deliver(exporter, &self.interrupts)).unwrap_or_default();
        // A report that could not be written has stopped the run, too; that is not an interrupt.
        let interrupted = result.ended.interrupted && self.results.is_open() || abandoned;
        let tracer = self.tracer.as_ref();
        #[expect(clippy::cast_precision_loss, reason = "a run is shorter than 2^53 ns")]
        let probing_seconds = result.probing_ns as f64 / 1e9;
        let facts = RunFacts {
            probing_seconds,
            duration_seconds: self.start.elapsed().as_secs_f64(),
            events_lost: result.ended.events_lost,
            spans,
            unsettled: result.ended.unsettled,
            worker_stalls: result.worker_stalls,
            interrupted,
            traced: tracer.is_some_and(|t| t.state_hook().is_some()),
            half_open: tracer.map_or(HalfOpen::NotEnforced, |t| t.half_open()),
            acks_held: tracer.map_or(0, |t| t.counter(Counter::AcksHeld)),
        };
        self.results.finish(&result.counts.summary(&plan.targets, &facts));
        if let Some(error) = self.results.failure() {
            return Err(Failure::other(anyhow!("cannot write the results: {error}")));
        }
        Ok(Ending {
            interrupted,
            target_unexpected: result.counts.unexpected() > 0,
            telemetry_lost: !spans.delivered(),
        }
        .exit())
    }
}

/// Whether probes start as fast as they can: no rate limit, and no interval between two probes of a target.
fn is_unpaced(plan: &Plan) -> bool {
    let Pacing { intervals, rate, rate_per_host, jitter: _, spread: _ } = &plan.pacing;
    let own = intervals.iter().flatten();
    let no_interval = own.chain([&plan.settings.interval]).all(|interval| interval.is_zero());
    rate.is_none() && rate_per_host.is_none() && (no_interval || plan.count == Some(1))
}
