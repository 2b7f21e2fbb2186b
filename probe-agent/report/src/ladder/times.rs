//! Times relative to the SYN, in one unit for the whole ladder, so they can be compared.

use explain::ExplainedProbe;

/// How the times of one ladder are written.
pub(super) struct Times {
    syn_at: u64,
    in_microseconds: bool,
    width: usize,
}

impl Times {
    pub(super) fn new(probe: &ExplainedProbe) -> Self {
        let syn_at = probe.timeline.probe.syn_at();
        let evidence = probe.findings.iter().flat_map(|f| &f.evidence).filter_map(|e| e.at);
        let all: Vec<u64> = probe.steps.iter().map(|step| step.at).chain(evidence).collect();
        // Below a millisecond, the digits of microseconds matter.
        let in_microseconds = all.iter().all(|at| at.abs_diff(syn_at) < 1_000_000);
        let mut times = Self { syn_at, in_microseconds, width: 0 };
        times.width = all.iter().map(|at| times.text(*at).len()).max().unwrap_or(0);
        times
    }

    /// Right-aligned, as wide as the widest time of this ladder.
    pub(super) fn column(&self, at: u64) -> String {
        format!("{:>width$}", self.text(at), width = self.width)
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    fn text(&self, at: u64) -> String {
        let sign = if at < self.syn_at { "-" } else { "" };
        let ns = at.abs_diff(self.syn_at);
        if self.in_microseconds {
            format!("{sign}{}.{} us", ns / 1_000, ns % 1_000 / 100)
        } else {
            format!("{sign}{}.{:03} ms", ns / 1_000_000, ns % 1_000_000 / 1_000)
        }
    }
}
