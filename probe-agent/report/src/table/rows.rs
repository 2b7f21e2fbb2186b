//! The rows of the table: one per target.

use std::collections::HashMap;

use super::{
    cells::Cells,
    layout::{DETAIL_COLUMN, Layout},
};
use crate::{
    style::{Look, Tone},
    summary::{Summary, TargetSummary},
    wrap::wrap,
};
use explain::ExplainedProbe;
use model::{expect::Expect, finding::Finding, human, verdict::Verdict};

/// Up to this many targets, all have a row; with more, only those that need attention.
const ALL_ROWS: usize = 1_000;
/// The most rows for targets that need attention.
const UNUSUAL_ROWS: usize = 100;

/// The rows, and the lines below them.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// One probe per target: a time instead of quantiles.
    single: bool,
    expect: Expect,
    /// The first finding by target; `None` if the run is too large for sentences.
    details: Option<HashMap<u32, Finding>>,
}

impl Rows {
    pub(super) fn new(single: bool, detailed: bool, expect: Expect) -> Self {
        Self { single, expect, details: detailed.then(HashMap::new) }
    }

    pub(super) fn detailed(&self) -> bool {
        self.details.is_some()
    }

    pub(super) fn probe(&mut self, probe: &ExplainedProbe) {
        if let (Some(details), Some(first)) = (&mut self.details, probe.findings.first()) {
            details.insert(probe.timeline.probe.target.0, first.clone());
        }
    }

    pub(super) fn write(&self, page: &mut String, summary: &Summary, look: Look) {
        let all = summary.targets.len() <= ALL_ROWS;
        let shown: Vec<(usize, &TargetSummary)> = summary
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| all || needs_attention(target))
            .take(if all { ALL_ROWS } else { UNUSUAL_ROWS })
            .collect();
        let cells: Vec<Cells> = shown
            .iter()
            .map(|(_, target)| Cells::new(target, self.single, self.expect, look))
            .collect();
        let layout = Layout::new(&cells, self.single, look);
        layout.heading(page);
        for ((index, _), cells) in shown.iter().zip(&cells) {
            layout.row(page, cells);
            if let Some(finding) = self.details.as_ref().and_then(|d| d.get(&(*index as u32))) {
                write_finding(page, finding, look);
            }
        }
        let hidden = (summary.targets.len() - shown.len()) as u64;
        if hidden > 0 {
            let text = format!("{} not shown", human::counted(hidden, "further target"));
            page.push_str(&format!("{}\n", look.paint(Tone::Faint, &text)));
        }
    }
}

fn needs_attention(target: &TargetSummary) -> bool {
    !target.as_expected || target.most_telling().is_some_and(|v| v != Verdict::Clean)
}

fn write_finding(page: &mut String, finding: &Finding, look: Look) {
    let width = look.width - DETAIL_COLUMN;
    let sentence = format!("{} ({})", finding.sentence, finding.proof.name());
    for line in wrap(&sentence, width) {
        page.push_str(&format!("{:DETAIL_COLUMN$}{line}\n", ""));
    }
    let advice = finding.advice.as_deref().unwrap_or_default();
    for (index, line) in wrap(advice, width - 3).iter().enumerate() {
        let arrow = if index == 0 { "-> " } else { "   " };
        let line = format!("{arrow}{line}");
        page.push_str(&format!("{:DETAIL_COLUMN$}{}\n", "", look.paint(Tone::Faint, &line)));
    }
}
