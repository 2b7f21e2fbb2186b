//! The latest unusual probes, for the status page.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use explain::ExplainedProbe;
use model::target::Target;

/// An unusual probe.
#[derive(Clone, Debug)]
pub struct UnusualProbe {
    /// Counts the unusual probes from 1, also those that are not kept any more.
    pub number: u64,
    /// Its target.
    pub target: Arc<Target>,
    /// When it ended, since 1970.
    pub at: Duration,
    /// Its trace id.
    pub trace_id: [u8; 16],
    /// What happened.
    pub probe: ExplainedProbe,
}

/// The latest unusual probes. Clones share them.
#[derive(Clone, Debug)]
pub struct Recent {
    ring: Arc<Mutex<Ring>>,
    bound: usize,
}

#[derive(Debug, Default)]
struct Ring {
    probes: VecDeque<Arc<UnusualProbe>>,
    count: u64,
}

impl Recent {
    /// Keeps at most so many.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self { ring: Arc::default(), bound }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a probe; the oldest makes room for it. Its number is given here.
    pub fn add(&self, mut probe: UnusualProbe) {
        let mut ring = self.ring();
        ring.count += 1;
        probe.number = ring.count;
        if ring.probes.len() >= self.bound {
            ring.probes.pop_front();
        }
        if self.bound > 0 {
            ring.probes.push_back(Arc::new(probe));
        }
    }

    /// Those that are kept and came after `number`, the oldest first.
    #[must_use]
    pub fn after(&self, number: u64) -> Vec<Arc<UnusualProbe>> {
        let ring = self.ring();
        ring.probes.iter().filter(|probe| probe.number > number).map(Arc::clone).collect()
    }

    /// How many there have been.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.ring().count
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use explain::{Judged, explain, fixtures::timeline};
    use model::{expect::Expect, fixtures::probe_record, outcome::Outcome, target::Target};

    use super::{Recent, UnusualProbe};

    #[test]
    fn the_latest_are_kept_and_all_are_counted() {
        let recent = Recent::new(3);
        for at in 1..=5 {
            let judged = Judged::new(timeline(probe_record(Outcome::Refused, 0)), Expect::Open);
            recent.add(UnusualProbe {
                number: 0,
                target: Arc::new(Target::at(([127, 0, 0, 1], 1).into())),
                at: Duration::from_secs(at),
                trace_id: [0; 16],
                probe: explain(judged),
            });
        }
        let kept: Vec<(u64, u64)> =
            recent.after(0).iter().map(|probe| (probe.number, probe.at.as_secs())).collect();
        assert_eq!(kept, [(3, 3), (4, 4), (5, 5)]);
        assert_eq!(recent.after(4).len(), 1);
        assert_eq!(recent.count(), 5);
    }
}
