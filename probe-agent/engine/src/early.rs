//! Reports a probe when it ends, before its settle window: its outcome is final, its verdicts are not known.

use std::collections::HashMap;

use model::{
    outcome::Outcome,
    record::{ProbeId, ProbeRecord},
    target::TargetId,
};

/// A probe that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlyReport {
    /// The probe.
    pub record: ProbeRecord,
    /// Its outcome for a health checker: alive, if a confirmation probe disproved its refusal (path C).
    pub outcome: Outcome,
}

/// Which probes are reported when they end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyFilter {
    /// None.
    #[default]
    None,
    /// The first probe of each target, and each whose outcome is another than that of the probe before.
    Changes,
    /// All probes, except confirmation probes.
    All,
}

/// Where a worker's early reports go.
pub(crate) struct EarlyReports {
    filter: EarlyFilter,
    send: Box<dyn FnMut(EarlyReport) + Send>,
    /// The outcome of each target's last probe.
    last: Vec<Option<Outcome>>,
    /// Refusals that a confirmation probe is to decide.
    in_doubt: HashMap<ProbeId, ProbeRecord>,
}

impl EarlyReports {
    /// Reports what `filter` selects to `send`.
    pub(crate) fn new(filter: EarlyFilter, send: impl FnMut(EarlyReport) + Send + 'static) -> Self {
        Self { filter, send: Box::new(send), last: Vec::new(), in_doubt: HashMap::new() }
    }

    /// A probe has ended. With `awaits_confirmation`, a confirmation probe follows and decides.
    pub(crate) fn on_probe_end(&mut self, record: &ProbeRecord, awaits_confirmation: bool) {
        if self.filter == EarlyFilter::None {
            return;
        }
        if awaits_confirmation {
            self.in_doubt.insert(record.id, record.clone());
            return;
        }
        match record.confirms.map(|first| self.in_doubt.remove(&first)) {
            None => self.report(record, record.outcome),
            Some(Some(first)) => {
                let disproved = record.outcome == Outcome::Alive;
                self.report(&first, if disproved { Outcome::Alive } else { first.outcome });
            }
            Some(None) => {}
        }
    }

    fn report(&mut self, record: &ProbeRecord, outcome: Outcome) {
        let changed = self.note(record.target, outcome);
        if changed || self.filter == EarlyFilter::All {
            (self.send)(EarlyReport { record: record.clone(), outcome });
        }
    }

    /// Notes the outcome of a target's probe. Returns whether it is another than before.
    fn note(&mut self, target: TargetId, outcome: Outcome) -> bool {
        let index = target.0 as usize;
        if self.last.len() <= index {
            self.last.resize(index + 1, None);
        }
        self.last.get_mut(index).is_some_and(|last| last.replace(outcome) != Some(outcome))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use model::fixtures::{named, probe_record};

    use super::{EarlyFilter, EarlyReports, Outcome, ProbeId, ProbeRecord, TargetId};

    fn id(generation: u32) -> ProbeId {
        ProbeId { slot: 0, generation }
    }

    fn ended(generation: u32, target: u32, outcome: Outcome) -> ProbeRecord {
        let record = probe_record(outcome, u64::from(generation) * 1_000_000);
        ProbeRecord { target: TargetId(target), ..named(record, id(generation)) }
    }

    /// What is reported of these probes; each may await its confirmation.
    fn reported(filter: EarlyFilter, probes: &[(ProbeRecord, bool)]) -> Vec<(u32, Outcome)> {
        let (sender, receiver) = mpsc::channel();
        let mut reports = EarlyReports::new(filter, move |report| sender.send(report).unwrap());
        for (record, awaits_confirmation) in probes {
            reports.on_probe_end(record, *awaits_confirmation);
        }
        drop(reports);
        receiver.iter().map(|report| (report.record.id.generation, report.outcome)).collect()
    }

    use Outcome::{Alive, Refused, TimedOut};

    #[test]
    fn changes_are_those_of_each_target() {
        let probes = [
            (ended(1, 0, Alive), false),
            (ended(2, 7, Alive), false),
            (ended(3, 0, Alive), false),
            (ended(4, 0, TimedOut), false),
            (ended(5, 7, Alive), false),
            (ended(6, 0, TimedOut), false),
            (ended(7, 0, Alive), false),
        ];
        let changes = [(1, Alive), (2, Alive), (4, TimedOut), (7, Alive)];
        assert_eq!(reported(EarlyFilter::Changes, &probes), changes);
        assert_eq!(reported(EarlyFilter::All, &probes).len(), probes.len());
        assert_eq!(reported(EarlyFilter::None, &probes), []);
    }

    #[test]
    fn a_refusal_in_doubt_waits_for_its_confirmation() {
        let confirming = |generation, first, outcome| ProbeRecord {
            confirms: Some(id(first)),
            ..ended(generation, 0, outcome)
        };
        let probes = [
            (ended(1, 0, Refused), true),
            (ended(2, 0, Refused), true),
            (confirming(3, 2, TimedOut), false),
            (confirming(4, 1, Alive), false),
            (confirming(5, 1, Alive), false),
        ];
        assert_eq!(reported(EarlyFilter::All, &probes), [(2, Refused), (1, Alive)]);
        assert_eq!(reported(EarlyFilter::Changes, &probes[..1]), []);
    }
}
