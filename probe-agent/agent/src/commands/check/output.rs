//! Where the news of a run arrives.

use std::{
    io::{self, BufWriter, Stdout},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::bail;
use probe_agent_common::Counter;

use super::delivery::{Delivered, deliver};
use crate::{
    exit::{Ending, Exit},
    signals::Interrupts,
    words::say,
};
use engine::{
    gauges::Gauges,
    session::{Output, Plan, RunResult},
};
use explain::Judged;
use kernel::loader::Tracer;
use model::{errno::in_words, record::HalfOpen};
use otlp::Exporter;
use report::{
    progress::{Progress, Snapshot},
    reporter::{Reporter, reader_gone},
    stats::{RunCounts, RunFacts},
};

/// Where the news of a run arrives: the report, the progress line and the export.
pub(super) struct CheckOutput {
    pub(super) reporter: Reporter<BufWriter<Stdout>>,
    pub(super) progress: Progress<io::Stderr>,
    /// Probes are printed while the run goes on, to a terminal.
    pub(super) prints_over_progress: bool,
    pub(super) exporter: Option<Exporter>,
    pub(super) began: Instant,
    pub(super) total: Option<u64>,
    /// The report cannot be written any more.
    pub(super) closed: bool,
    /// Why, unless its reader has gone away.
    pub(super) unwritten: Option<io::Error>,
    /// That a worker stood still was told.
    pub(super) stall_told: bool,
    pub(super) tracer: Option<Arc<Tracer>>,
    pub(super) interrupts: Interrupts,
}

impl Output for CheckOutput {
    fn probe(&mut self, judged: Judged) -> io::Result<()> {
        let probe = explain::explain(judged);
        // A second opinion is part of the probe that it was asked for.
        if probe.timeline.probe.confirms.is_none() {
            if self.prints_over_progress {
                self.progress.clear();
            }
            let printed = self.reporter.probe(&probe);
            self.written(printed);
        }
        if let Some(exporter) = &self.exporter {
            exporter.offer(probe);
        }
        Ok(())
    }

    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()> {
        // First what was printed, so that no line of it ends behind the progress.
        let flushed = self.reporter.flush();
        self.written(flushed);
        self.progress.draw(&self.snapshot(gauges));
        Ok(())
    }

    fn stalled(&mut self, worker: usize) {
        // The summary counts them all; a machine that is too busy needs no line each time.
        if !self.stall_told {
            self.stall_told = true;
            self.progress.clear();
            say(format_args!(
                "worker {worker} has stood still for over a second: probes start late and \
                 timeouts come late (worker_stalls in the summary counts each time)"
            ));
        }
    }
}

impl CheckOutput {
    /// A report that cannot be written ends the run; a reader that has gone away does so without a
    /// word. The spans of what was probed are delivered all the same.
    fn written(&mut self, result: io::Result<()>) {
        if let Err(error) = result {
            self.closed = true;
            self.interrupts.stop().store(true, Ordering::Relaxed);
            if !reader_gone(&error) {
                self.unwritten.get_or_insert(in_words(error));
            }
        }
    }

    fn snapshot(&self, gauges: &[Arc<Gauges>]) -> Snapshot {
        let sum = |read: fn(&Gauges) -> &AtomicU64| {
            gauges.iter().map(|g| read(g).load(Ordering::Relaxed)).sum::<u64>()
        };
        Snapshot {
            elapsed: self.began.elapsed(),
            ended: sum(|g| &g.ended),
            total: self.total,
            alive: sum(|g| &g.alive),
            in_flight: sum(|g| &g.in_flight),
            settling: sum(|g| &g.settling),
            events_lost: self.tracer.as_ref().map_or(0, |t| t.events_lost()),
        }
    }

    pub(super) fn finish(
        mut self,
        plan: &Plan,
        result: &RunResult<RunCounts>,
        traced: bool,
    ) -> anyhow::Result<Exit> {
        self.progress.clear();
        let exporter = self.exporter.take();
        let Delivered { spans, abandoned } =
            exporter.map(|exporter| deliver(exporter, &self.interrupts)).unwrap_or_default();
        let tracer = self.tracer.as_ref();
        let interrupted = result.ended.interrupted && !self.closed || abandoned;
        #[expect(clippy::cast_precision_loss, reason = "a run is shorter than 2^53 ns")]
        let summary = result.counts.summary(
            &plan.targets,
            &RunFacts {
                probing_seconds: result.probing_ns as f64 / 1e9,
                duration_seconds: self.began.elapsed().as_secs_f64(),
                events_lost: result.ended.events_lost,
                spans,
                unsettled: result.ended.unsettled,
                worker_stalls: result.worker_stalls,
                interrupted,
                traced,
                half_open: tracer.map_or(HalfOpen::NotEnforced, |t| t.guard.half_open()),
                acks_held: tracer.map_or(0, |t| t.counter(Counter::AcksHeld)),
            },
        );
        if !self.closed {
            let printed = self.reporter.finish(&summary);
            self.written(printed);
        }
        if let Some(error) = self.unwritten {
            bail!("cannot write the results: {error}");
        }
        Ok(Ending {
            usage_error: false,
            privilege_missing: false,
            interrupted,
            target_unexpected: result.counts.unexpected() > 0,
            telemetry_lost: !spans.delivered(),
        }
        .exit())
    }
}
