//! What a run without an end prints as it goes, besides the table at its end: targets whose outcome changes,
//! unusual probes, and once in a minute a line of figures.

mod state;

use engine::early::EarlyReport;
use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::{expect::Expect, human, outcome::Outcome, target::Target, verdict::Verdict};

use self::state::States;
use crate::{
    budget::Budget,
    progress::{Snapshot, figures},
    style::{Look, Tone, outcome_tone, outcome_words, verdict_tone},
    timestamp::to_the_second,
    wrap::wrap,
};

/// So many targets are named in a line of figures.
const NAMED: usize = 3;
/// In nanoseconds.
pub(super) const MINUTE: u64 = 60_000_000_000;
/// The most changes and unusual probes in so many nanoseconds: a terminal full of lines in this time can still
/// be read.
const MOST: (u64, u64) = (20, 10_000_000_000);

/// The state of the targets, and what has been printed about it.
#[derive(Debug)]
pub(super) struct Live {
    clock: Clock,
    look: Look,
    expect: Expect,
    states: States,
    budget: Budget,
    /// When the next line of figures is due, in nanoseconds of `CLOCK_MONOTONIC`.
    next: Option<u64>,
    /// When the last one was printed, and how many probes had ended by then.
    last: (u64, u64),
}

impl Live {
    pub(super) fn new(expect: Expect, clock: Clock, look: Look) -> Self {
        Self {
            clock,
            look,
            expect,
            states: States::default(),
            budget: Budget::new(MOST.0, MOST.1),
            next: None,
            last: (0, 0),
        }
    }

    /// How many targets' last probes were not as expected.
    pub(super) fn unexpected(&self) -> u64 {
        self.states.count(|outcome| !self.expect.is_met(outcome))
    }

    /// A probe has ended: its line, if the outcome of its target has changed. A first probe has one only if it
    /// is not as expected.
    pub(super) fn ended(&mut self, report: &EarlyReport, target: &Target) -> Option<String> {
        let (record, outcome) = (&report.record, report.outcome);
        let at = record.ended_at;
        let change = self.states.note(record.target, outcome, at)?;
        let now = self.look.paint(self.tone(outcome), outcome_words(outcome)).into_owned();
        let text = match change {
            None if self.expect.is_met(outcome) => return None,
            None => now,
            Some((before, since)) => format!(
                "{} -> {now}, after {}",
                outcome_words(before),
                human::nanoseconds(at.saturating_sub(since))
            ),
        };
        self.budget.takes(at).then(|| self.line(at, &target.name, &text))
    }

    fn tone(&self, outcome: Outcome) -> Tone {
        if self.expect.is_met(outcome) { Tone::Good } else { outcome_tone(outcome) }
    }

    /// A probe is settled: its lines, if it is unusual. While a target stays down, the verdict of the first
    /// probe is enough.
    pub(super) fn probe(&mut self, probe: &ExplainedProbe, target: &Target) -> Option<String> {
        let first = probe.findings.first()?;
        let record = &probe.timeline.probe;
        let usual = self.expect.verdict();
        let is_usual = probe.findings.iter().all(|finding| finding.verdict == usual);
        // Of a clean probe the filter lets none through, but an export needs all: their change is enough.
        if is_usual
            || first.verdict == Verdict::Clean
            || !self.states.shows(record.target, first.verdict)
        {
            return None;
        }
        let at = record.ended_at;
        if !self.budget.takes(at) {
            return None;
        }
        let names: Vec<_> = probe
            .findings
            .iter()
            .map(|finding| self.look.paint(verdict_tone(finding.verdict), finding.verdict.name()))
            .collect();
        let text = format!("{} ({})", names.join(", "), first.proof.name());
        let mut lines = self.line(at, &target.name, &text);
        for line in wrap(&first.sentence, self.look.width - 2) {
            lines.push_str(&format!("  {line}\n"));
        }
        Some(lines)
    }

    /// The line of figures, if a minute has passed since the last one; before it, how much was left out.
    pub(super) fn figures(&mut self, now: &Snapshot, targets: &[Target]) -> Option<String> {
        let next = *self.next.get_or_insert(now.at + MINUTE);
        if now.at < next {
            return None;
        }
        self.next = Some(now.at - (now.at - next) % MINUTE + MINUTE);
        let (since, ended) = std::mem::replace(&mut self.last, (now.at, now.ended));
        let seconds = if since == 0 { 60.0 } else { (now.at - since) as f64 / 1e9 };
        let rate = now.ended.saturating_sub(ended) as f64 / seconds;
        let mut parts = vec![human::counted(now.ended, "probe")];
        parts.extend(figures(now, Some(rate)));
        let mut lines = self.line(now.at, "", &parts.join(", "));
        lines.push_str(&self.down(targets));
        if let Some(left_out) = self.budget.left_out() {
            let count = human::count(left_out);
            lines.push_str(&format!("  {count} further changes or unusual probes not shown\n"));
        }
        Some(lines)
    }

    /// Which targets are not as expected: with their names, if there are few.
    fn down(&self, targets: &[Target]) -> String {
        let down = |outcome: Outcome| !self.expect.is_met(outcome);
        let count = self.states.count(down);
        if count == 0 {
            return String::new();
        }
        let known = human::counted(self.states.known(), "target");
        let mut text = format!("{} of {known} not as expected", human::count(count));
        if count <= NAMED as u64 {
            let named = self.states.targets(down).filter_map(|(id, outcome)| {
                let target = targets.get(id.0 as usize)?;
                Some(format!("{} ({})", target.name, outcome_words(outcome)))
            });
            text.push_str(&format!(": {}", named.collect::<Vec<_>>().join(", ")));
        }
        wrap(&text, self.look.width - 2).iter().map(|line| format!("  {line}\n")).collect()
    }

    /// `2026-01-02T03:04:05Z  db.example:5432  alive -> timed out`; on a narrow terminal, in two lines.
    fn line(&self, at: u64, target: &str, text: &str) -> String {
        let when = to_the_second(self.clock, at);
        match (self.look.is_narrow(), target.is_empty()) {
            (false, false) => format!("{when}  {target}  {text}\n"),
            (false, true) => format!("{when}  {text}\n"),
            (true, false) => format!("{when}  {target}\n  {text}\n"),
            (true, true) => format!("{when}\n  {text}\n"),
        }
    }
}

#[cfg(test)]
mod tests;
