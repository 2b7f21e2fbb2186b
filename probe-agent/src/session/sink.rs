//! What a worker does with a settled probe: count it, and pass on the ones that are wanted.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::Sender,
};

use super::Plan;
use crate::{
    config::choice::Expect,
    correlate::timeline::Timeline,
    explain::{
        rules,
        verdict::{Judgement, Verdict},
    },
    probe::engine::Sink,
    report::stats::Tally,
};

/// Probes that wait for the reports; beyond, no further probe is started for a while. What is in
/// flight or settling then still comes, so that the memory is bounded by that.
const BACKLOG: usize = 4096;

/// Which settled probes somebody wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appetite {
    /// All.
    All,
    /// Unusual ones, and of each verdict no more than so many.
    Unusual(u32),
}

/// The sink of one worker.
pub(super) struct WorkerSink {
    tally: Tally,
    expect: Expect,
    appetite: Appetite,
    passed_on: [u32; Verdict::ALL.len()],
    news: Sender<Timeline>,
    backlog: Arc<AtomicUsize>,
}

impl WorkerSink {
    pub(super) fn new(plan: &Plan, news: Sender<Timeline>, backlog: Arc<AtomicUsize>) -> Self {
        Self {
            tally: Tally::new(plan.targets.len()),
            expect: plan.expect,
            appetite: plan.appetite,
            passed_on: [0; Verdict::ALL.len()],
            news,
            backlog,
        }
    }

    pub(super) fn into_tally(self) -> Tally {
        self.tally
    }

    fn is_wanted(&mut self, judgements: &[Judgement]) -> bool {
        let Appetite::Unusual(limit) = self.appetite else { return true };
        let mut wanted = false;
        for judgement in judgements.iter().filter(|j| j.verdict != Verdict::Clean) {
            let passed_on = &mut self.passed_on[judgement.verdict as usize];
            wanted |= *passed_on < limit;
            *passed_on = passed_on.saturating_add(1);
        }
        wanted
    }
}

impl Sink for WorkerSink {
    fn settled(&mut self, timeline: Timeline) {
        let judgements = rules::judge(&timeline);
        let expected = self.expect.is_met(timeline.outcome());
        self.tally.add(&timeline, &judgements, expected);
        if self.is_wanted(&judgements) {
            self.backlog.fetch_add(1, Ordering::Relaxed);
            // Nobody listens any more only when the run is being stopped.
            let _ = self.news.send(timeline);
        }
    }

    fn has_room(&self) -> bool {
        self.backlog.load(Ordering::Relaxed) < BACKLOG
    }
}
