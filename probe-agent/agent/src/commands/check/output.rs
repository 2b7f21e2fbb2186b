//! Passes on what the run reports: to the results, the progress line and the export.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::anyhow;
use engine::{
    gauges::Gauges,
    names::Names,
    session::{Output, Plan, RunResult},
};
use explain::Judged;
use kernel::{clock::Clock, loader::Tracer};
use model::record::HalfOpen;
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
    names::FollowedNames,
    plan::shape,
    results::Results,
};
use crate::{
    config::CheckConfig,
    exit::{Ending, Exit, Failure, Stopped},
    names::NameWatch,
    signals::Interrupts,
};

/// The output of one run.
pub(super) struct CheckOutput {
    results: Results,
    progress: Progress<io::Stderr>,
    /// Whether probes are printed to a terminal during the run, where the progress line may be.
    prints_over_progress: bool,
    names: FollowedNames,
    /// The network namespace of the run.
    netns: Option<Arc<File>>,
    exporter: Option<Exporter>,
    tracer: Option<Arc<Tracer>>,
    interrupts: Interrupts,
    start: Instant,
    /// Probes of the whole run; `None`: until interrupted.
    total: Option<u64>,
    /// Whether a stalled worker has been reported.
    stall_reported: bool,
}

impl Output for CheckOutput {
    fn probe(&mut self, judged: Judged) -> io::Result<()> {
        let probe = explain::explain(judged);
        // A confirmation probe is part of the probe that it confirms.
        if probe.timeline.probe.confirms.is_none() {
            if self.prints_over_progress {
                self.progress.clear();
            }
            self.results.probe(&probe);
        }
        if let Some(exporter) = &self.exporter {
            exporter.offer(probe);
        }
        Ok(())
    }

    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()> {
        self.names.start(self.netns.clone());
        // The results first, so that none of them ends behind the progress line.
        self.results.flush();
        self.progress.draw(&self.snapshot(gauges));
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
        let reporter = Reporter::new(
            config.output,
            BufWriter::new(io::stdout()),
            shape(config, &plan.targets),
            Look::of_stdout(),
            clock,
        );
        Self {
            results: Results::new(reporter, Arc::clone(interrupts.stop())),
            progress: Progress::on_stderr(),
            prints_over_progress: config.output != OutputFormat::Table && stdout.is_terminal(),
            names: FollowedNames::None,
            netns: plan.netns.clone(),
            exporter,
            tracer,
            interrupts,
            start: Instant::now(),
            total: config.total_probes(),
            stall_reported: false,
        }
    }

    /// Looks the names of the run up again while it lasts.
    pub(super) fn follow_names(&mut self, watch: Option<NameWatch>, names: Arc<Names>) {
        if let Some(watch) = watch {
            self.names = FollowedNames::Waiting(Box::new(watch), names);
        }
    }

    /// The run is over.
    pub(super) fn leave_names(&mut self) {
        self.names.stop();
    }

    fn snapshot(&self, gauges: &[Arc<Gauges>]) -> Snapshot {
        let sum = |read: fn(&Gauges) -> &AtomicU64| {
            gauges.iter().map(|g| read(g).load(Ordering::Relaxed)).sum::<u64>()
        };
        Snapshot {
            elapsed: self.start.elapsed(),
            ended: sum(|g| &g.ended),
            total: self.total,
            alive: sum(|g| &g.alive),
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
        let is_service = plan.count.is_none() && self.interrupts.is_termination() && !abandoned;
        let stopped = if is_service { Stopped::AsService } else { Stopped::Interrupted };
        Ok(Ending {
            stopped: interrupted.then_some(stopped),
            target_unexpected: result.counts.unexpected() > 0,
            telemetry_lost: !spans.delivered(),
        }
        .exit())
    }
}
