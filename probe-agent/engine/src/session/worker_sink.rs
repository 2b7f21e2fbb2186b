//! The sink of a worker: counts every judged probe, and sends those that the report filter selects.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::Sender,
};

use explain::Judged;
use model::verdict::{Judgement, Verdict};

use crate::{early::EarlyReport, event_loop::Sink};

/// The most probes that wait for the output before no further probe is started. Probes that are in flight
/// or settling then are still added, so their number bounds the memory.
const MAX_BACKLOG: usize = 4096;

/// In nanoseconds.
const MINUTE: u64 = 60_000_000_000;

/// What a worker sends to the thread that runs the session.
pub(super) enum Message {
    /// A probe has ended and is not settled.
    Ended(EarlyReport),
    /// A probe is settled.
    Settled(Judged),
}

/// Which judged probes reach the [`Output`](super::Output). All are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFilter {
    /// All probes.
    All,
    /// Unusual probes, but per worker and verdict no more than this number.
    Unusual(u32),
    /// The same, but no more than this number in each minute.
    UnusualPerMinute(u32),
}

/// Counts the probes of one worker; the counts of all workers are merged at the end of a run.
pub trait Counts: Send + 'static {
    /// Counts one probe.
    fn add(&mut self, probe: &Judged);
    /// Adds the counts of another worker of the same run.
    fn merge(&mut self, other: Self);
}

/// Counts nothing.
impl Counts for () {
    fn add(&mut self, _: &Judged) {}
    fn merge(&mut self, (): Self) {}
}

/// The sink of one worker.
pub(super) struct WorkerSink<C> {
    counts: C,
    filter: ReportFilter,
    reported: [u32; Verdict::ALL.len()],
    /// When the numbers that were reported are forgotten, in nanoseconds of `CLOCK_MONOTONIC`.
    until: u64,
    channel: Sender<Message>,
    backlog: Arc<AtomicUsize>,
}

impl<C: Counts> WorkerSink<C> {
    pub(super) fn new(
        counts: C,
        filter: ReportFilter,
        channel: Sender<Message>,
        backlog: Arc<AtomicUsize>,
    ) -> Self {
        let until = match filter {
            ReportFilter::All | ReportFilter::Unusual(_) => u64::MAX,
            ReportFilter::UnusualPerMinute(_) => 0,
        };
        Self { counts, filter, reported: [0; Verdict::ALL.len()], until, channel, backlog }
    }

    fn is_wanted(&mut self, ended_at: u64, verdicts: &[Judgement]) -> bool {
        let limit = match self.filter {
            ReportFilter::All => return true,
            ReportFilter::Unusual(limit) | ReportFilter::UnusualPerMinute(limit) => limit,
        };
        let mut wanted = false;
        for judgement in verdicts.iter().filter(|j| j.verdict != Verdict::Clean) {
            if ended_at >= self.until {
                self.until = ended_at + MINUTE;
                self.reported.fill(0);
            }
            let Some(reported) = self.reported.get_mut(judgement.verdict as usize) else {
                continue;
            };
            wanted |= *reported < limit;
            *reported = reported.saturating_add(1);
        }
        wanted
    }
}

impl<C: Counts> Sink for WorkerSink<C> {
    type Result = C;

    fn settled(&mut self, probe: Judged) {
        self.counts.add(&probe);
        if self.is_wanted(probe.timeline.probe.ended_at, &probe.verdicts) {
            self.backlog.fetch_add(1, Ordering::Relaxed);
            // The receiver is dropped only when the run is being stopped.
            let _ = self.channel.send(Message::Settled(probe));
        }
    }

    fn has_room(&self) -> bool {
        self.backlog.load(Ordering::Relaxed) < MAX_BACKLOG
    }

    fn finish(self) -> C {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::Ordering, mpsc};

    use super::{AtomicUsize, Judgement, MINUTE, ReportFilter, Verdict, WorkerSink};
    use model::verdict::Proof;

    /// How many of these probes, one per second and all refused, are reported.
    fn reported(filter: ReportFilter, probes: u64) -> usize {
        let (channel, _inbox) = mpsc::channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let mut sink = WorkerSink::new((), filter, channel, Arc::clone(&backlog));
        let refused = [Judgement { verdict: Verdict::Refused, proof: Proof::Confirmed }];
        let clean = [Judgement { verdict: Verdict::Clean, proof: Proof::Confirmed }];
        assert_eq!(sink.is_wanted(0, &clean), filter == ReportFilter::All);
        assert_eq!(backlog.load(Ordering::Relaxed), 0);
        (0..probes).filter(|second| sink.is_wanted(second * (MINUTE / 60), &refused)).count()
    }

    #[test]
    fn a_limit_is_for_the_run_or_for_each_minute() {
        assert_eq!(reported(ReportFilter::All, 180), 180);
        assert_eq!(reported(ReportFilter::Unusual(20), 180), 20);
        assert_eq!(reported(ReportFilter::UnusualPerMinute(20), 180), 60);
        assert_eq!(reported(ReportFilter::UnusualPerMinute(20), 70), 30);
    }
}
