//! A row per target, then the unusual verdicts, then the totals.

mod cells;
mod findings;
mod layout;
mod rows;

use self::{findings::Samples, rows::Rows};
use super::{style::Look, summary::Summary, totals};
use explain::ExplainedProbe;
use model::expect::Expect;

/// Up to this many probes, each has its sentence below its row.
const DETAILED_PROBES: u64 = 10;

/// Collects what a table needs besides the summary. Its size does not depend on the length of the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    samples: Samples,
    rows: Rows,
}

impl Table {
    /// `count` is the number of probes per target, `None` if the run lasts until interrupted.
    pub(super) fn new(targets: usize, count: Option<u64>, expect: Expect) -> Self {
        let single = count == Some(1);
        let detailed = single && targets as u64 <= DETAILED_PROBES;
        Self { samples: Samples::new(expect), rows: Rows::new(single, detailed, expect) }
    }

    /// Takes what the table needs of one probe.
    pub(super) fn probe(&mut self, probe: &ExplainedProbe, target: &str) {
        if self.rows.detailed() {
            self.rows.probe(probe);
        } else {
            self.samples.probe(probe, target);
        }
    }

    /// The whole table. Every line ends with `\n`.
    pub(super) fn draw(&self, summary: &Summary, look: Look) -> String {
        let mut page = String::new();
        self.rows.write(&mut page, summary, look);
        self.samples.write(&mut page, summary, look);
        page.push('\n');
        totals::write(&mut page, summary, look);
        page
    }
}

#[cfg(test)]
mod tests;
