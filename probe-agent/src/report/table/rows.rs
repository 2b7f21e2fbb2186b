//! The rows of the table: one per target.

use std::collections::HashMap;

use crate::{
    explain::{
        finding::ExplainedProbe,
        verdict::{Proof, Verdict},
    },
    probe::outcome::Outcome,
    report::{
        human,
        style::{Look, Tone, outcome_words, verdict_tone},
        summary::{Summary, TargetSummary},
        wrap::{cut, wrap},
    },
};

/// Up to as many targets, all have a row; of more, only those that need a look.
const ALL_ROWS: usize = 1_000;
/// Rows of those that need a look.
const UNUSUAL_ROWS: usize = 100;
/// Where a sentence below a row starts.
const DETAIL_COLUMN: usize = 6;

/// What is said below the row of a single probe.
#[derive(Clone, Debug)]
struct Detail {
    proof: Proof,
    sentence: String,
    advice: Option<String>,
}

/// The rows, and the sentences below them.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// One probe per target: a time in place of quantiles.
    single: bool,
    details: Option<HashMap<u32, Detail>>,
}

/// The cells of one row, not padded.
struct Cells {
    ok: bool,
    target: String,
    address: String,
    outcome: String,
    times: Vec<String>,
    verdict: String,
    tone: Tone,
}

impl Rows {
    pub(super) fn new(single: bool, detailed: bool) -> Self {
        Self { single, details: detailed.then(HashMap::new) }
    }

    pub(super) fn detailed(&self) -> bool {
        self.details.is_some()
    }

    pub(super) fn probe(&mut self, probe: &ExplainedProbe) {
        if let (Some(details), Some(first)) = (&mut self.details, probe.findings.first()) {
            let detail = Detail {
                proof: first.proof,
                sentence: first.sentence.clone(),
                advice: first.advice.clone(),
            };
            details.insert(probe.timeline.probe.target.0, detail);
        }
    }

    pub(super) fn write(&self, page: &mut String, summary: &Summary, look: Look) {
        let all = summary.targets.len() <= ALL_ROWS;
        let shown: Vec<(usize, &TargetSummary)> = summary
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| all || needs_a_look(target))
            .take(if all { ALL_ROWS } else { UNUSUAL_ROWS })
            .collect();
        let cells: Vec<Cells> = shown.iter().map(|(_, target)| self.cells(target)).collect();
        let layout = Layout::new(&cells, self.single, look);
        layout.heading(page);
        for ((index, _), cells) in shown.iter().zip(&cells) {
            layout.row(page, cells);
            if let Some(detail) = self.details.as_ref().and_then(|d| d.get(&(*index as u32))) {
                write_detail(page, detail, look);
            }
        }
        let hidden = (summary.targets.len() - shown.len()) as u64;
        if hidden > 0 {
            let text = format!("{} not shown", human::counted(hidden, "further target"));
            page.push_str(&format!("{}\n", look.paint(Tone::Faint, &text)));
        }
    }

    fn cells(&self, target: &TargetSummary) -> Cells {
        let seconds = |time: Option<f64>| time.map_or("-".to_owned(), human::seconds);
        let times = &target.handshake_seconds;
        let verdict = self.verdict(target);
        Cells {
            ok: target.as_expected,
            target: target.target.clone(),
            address: target.address.clone(),
            outcome: self.outcome(target),
            times: if self.single {
                vec![seconds(times.p50.or(times.max))]
            } else {
                vec![seconds(times.p50), seconds(times.p99), seconds(times.max)]
            },
            tone: most_telling(target).map_or(Tone::Plain, verdict_tone),
            verdict,
        }
    }

    /// `alive`, `alive 99.8 %`; where none is alive, the most frequent outcome.
    fn outcome(&self, target: &TargetSummary) -> String {
        let most =
            Outcome::ALL.into_iter().max_by_key(|o| (target.outcome(*o), *o == Outcome::Alive));
        let outcome = match most {
            _ if target.outcome(Outcome::Alive) > 0 => Outcome::Alive,
            Some(outcome) => outcome,
            None => Outcome::Alive,
        };
        let words = outcome_words(outcome);
        match target.probes {
            0 => "not probed".to_owned(),
            1 => words.to_owned(),
            all => format!("{words} {}", human::share(target.outcome(outcome), all)),
        }
    }

    /// `clean`, or the unusual ones with their counts.
    fn verdict(&self, target: &TargetSummary) -> String {
        let unusual: Vec<_> = Verdict::ALL
            .into_iter()
            .filter(|v| *v != Verdict::Clean && target.verdict(*v) > 0)
            .map(|v| match (self.single, target.verdict(v)) {
                (true, _) => v.name().to_owned(),
                (false, count) => format!("{} {}", human::count(count), v.name()),
            })
            .collect();
        match unusual.as_slice() {
            [] if target.probes == 0 => String::new(),
            [] => "clean".to_owned(),
            some => some.join(", "),
        }
    }
}

fn needs_a_look(target: &TargetSummary) -> bool {
    !target.as_expected || most_telling(target).is_some_and(|v| v != Verdict::Clean)
}

fn most_telling(target: &TargetSummary) -> Option<Verdict> {
    Verdict::ALL.into_iter().find(|verdict| target.verdict(*verdict) > 0)
}

fn write_detail(page: &mut String, detail: &Detail, look: Look) {
    let sentence = format!("{} ({})", detail.sentence, detail.proof.name());
    for text in std::iter::once(&sentence).chain(&detail.advice) {
        for line in wrap(text, look.width.saturating_sub(DETAIL_COLUMN)) {
            let line = look.paint(Tone::Faint, &line);
            page.push_str(&format!("{:DETAIL_COLUMN$}{line}\n", ""));
        }
    }
}

/// The widths of the columns; the verdict takes what is left, or a line of its own.
struct Layout {
    look: Look,
    target: usize,
    /// `None` where the targets are written as addresses, or the line has no room.
    address: Option<usize>,
    outcome: usize,
    times: Vec<(&'static str, usize)>,
}

const OK_WIDTH: usize = 4;
const GAP: usize = 2;

impl Layout {
    fn new(cells: &[Cells], single: bool, look: Look) -> Self {
        let widest = |heading: &str, of: &dyn Fn(&Cells) -> usize| {
            cells.iter().map(of).max().unwrap_or(0).max(heading.len())
        };
        let names: &[&'static str] = if single { &["HANDSHAKE"] } else { &["P50", "P99", "MAX"] };
        let times: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(index, name)| (*name, widest(name, &|c| c.times[index].len())))
            .collect();
        let mut layout = Self {
            look,
            target: widest("TARGET", &|c| c.target.len()).min(look.width / 2),
            address: None,
            outcome: widest("OUTCOME", &|c| c.outcome.len()),
            times,
        };
        let address = widest("ADDRESS", &|c| c.address.len());
        let named = cells.iter().any(|c| c.target != c.address);
        // The address goes first where the line is full: the JSON has it as well.
        if named && layout.before_verdict() + address + GAP + "VERDICT".len() <= look.width {
            layout.address = Some(address);
        }
        layout
    }

    fn before_verdict(&self) -> usize {
        let times: usize = self.times.iter().map(|(_, width)| width + GAP).sum();
        let address = self.address.map_or(0, |width| width + GAP);
        OK_WIDTH + GAP + self.target + GAP + address + self.outcome + GAP + times
    }

    fn heading(&self, page: &mut String) {
        let mut line = format!("{:OK_WIDTH$}  {:<w$}  ", "", "TARGET", w = self.target);
        if let Some(width) = self.address {
            line.push_str(&format!("{:<width$}  ", "ADDRESS"));
        }
        line.push_str(&format!("{:<w$}  ", "OUTCOME", w = self.outcome));
        for (name, width) in &self.times {
            line.push_str(&format!("{name:>width$}  "));
        }
        line.push_str("VERDICT");
        page.push_str(&format!("{}\n", self.look.paint(Tone::Strong, &line)));
    }

    fn row(&self, page: &mut String, cells: &Cells) {
        let (mark, tone) = if cells.ok { ("ok  ", Tone::Good) } else { ("FAIL", Tone::Bad) };
        page.push_str(&self.look.paint(tone, mark));
        page.push_str(&format!("  {:<w$}  ", cut(&cells.target, self.target), w = self.target));
        if let Some(width) = self.address {
            page.push_str(&format!("{:<width$}  ", cells.address));
        }
        page.push_str(&format!("{:<w$}  ", cells.outcome, w = self.outcome));
        for (time, (_, width)) in cells.times.iter().zip(&self.times) {
            page.push_str(&format!("{time:>width$}  "));
        }
        if cells.verdict.len() > self.look.width.saturating_sub(self.before_verdict()) {
            // Too long for the rest of the line: below it, from the left.
            while page.ends_with(' ') {
                page.pop();
            }
            for line in wrap(&cells.verdict, self.look.width.saturating_sub(DETAIL_COLUMN)) {
                page.push_str(&format!("\n{:DETAIL_COLUMN$}", ""));
                page.push_str(&self.look.paint(cells.tone, &line));
            }
        } else {
            page.push_str(&self.look.paint(cells.tone, &cells.verdict));
        }
        page.push('\n');
    }
}
