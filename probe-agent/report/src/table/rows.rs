//! The rows of the table: one per target.

use std::collections::HashMap;

use super::{
    cells::{Cells, Kind},
    layout::{DETAIL_COLUMN, Layout},
};
use crate::{
    style::{Look, Tone},
    summary::{Summary, TargetSummary},
    wrap::wrap,
};
use explain::ExplainedProbe;
use model::{expect::Expect, finding::Finding, human};

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
            .filter(|(_, target)| all || needs_attention(target, self.expect))
            .take(if all { ALL_ROWS } else { UNUSUAL_ROWS })
            .collect();
        let kind = match (self.single, &self.details, self.expect) {
            (true, Some(_), _) => Kind::Detailed,
            (true, None, _) => Kind::Single,
            (false, _, Expect::Open) => Kind::Many,
            (false, _, Expect::Closed) => Kind::Refusing,
        };
        let cells: Vec<Cells> =
            shown.iter().map(|(_, target)| Cells::new(target, kind, self.expect, look)).collect();
        let layout = Layout::new(&cells, kind, look);
        layout.heading(page);
        let mut given: Vec<(&str, &str)> = Vec::new();
        for ((index, target), cells) in shown.iter().zip(&cells) {
            layout.row(page, cells);
            if let Some(finding) = self.details.as_ref().and_then(|d| d.get(&(*index as u32))) {
                write_finding(page, finding, look);
                if let Some(advice) = finding.advice.as_deref() {
                    write_advice(page, advice, &target.target, &mut given, look);
                }
            }
        }
        let hidden = (summary.targets.len() - shown.len()) as u64;
        if hidden > 0 {
            let text = format!("{} not shown", human::counted(hidden, "further target"));
            page.push_str(&format!("{}\n", look.paint(Tone::Faint, &text)));
        }
    }
}

fn needs_attention(target: &TargetSummary, expect: Expect) -> bool {
    !target.as_expected || target.most_telling().is_some_and(|v| v != expect.verdict())
}

fn write_finding(page: &mut String, finding: &Finding, look: Look) {
    let sentence = format!("{} ({})", finding.sentence, finding.proof.name());
    for line in wrap(&sentence, look.width - DETAIL_COLUMN) {
        page.push_str(&format!("{:DETAIL_COLUMN$}{line}\n", ""));
    }
}

/// `given` are the pieces of advice above, each with its target: the same one is not printed twice.
fn write_advice<'a>(
    page: &mut String,
    advice: &'a str,
    target: &'a str,
    given: &mut Vec<(&'a str, &'a str)>,
    look: Look,
) {
    let text = match given.iter().find(|(same, _)| *same == advice) {
        Some((_, first)) => format!("As for {first} above."),
        None => {
            given.push((advice, target));
            advice.to_owned()
        }
    };
    for (index, line) in wrap(&text, look.width - DETAIL_COLUMN - 3).iter().enumerate() {
        let arrow = if index == 0 { "-> " } else { "   " };
        let line = format!("{arrow}{line}");
        page.push_str(&format!("{:DETAIL_COLUMN$}{}\n", "", look.paint(Tone::Faint, &line)));
    }
}
