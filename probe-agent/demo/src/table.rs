//! All scenarios in one table.

use super::{compare, describe, result::ScenarioResult};
use model::human;
use model::verdict::Proof;
use report::style::{Look, Tone};

/// One row.
pub(super) struct Row {
    name: &'static str,
    family: &'static str,
    time: String,
    proof: &'static str,
    /// A line for each probe.
    verdicts: Vec<String>,
    mismatches: Vec<String>,
    limits: Vec<String>,
}

/// How a scenario went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grade {
    /// Everything is as injected.
    AsInjected,
    /// This host cannot show everything, and nothing else is reported in its place.
    Limited,
    /// Something is wrong.
    Wrong,
}

impl Row {
    /// The row of a scenario.
    pub(super) fn new(result: &ScenarioResult) -> Self {
        let proof = result.probes.iter().map(compare::proof).max().unwrap_or(Proof::Unknown);
        Self {
            name: result.scenario.name,
            family: describe::family(result.family),
            time: human::seconds(result.took.as_secs_f64()),
            proof: proof.name(),
            verdicts: result.probes.iter().map(compare::verdicts).collect(),
            mismatches: result.mismatches.clone(),
            limits: result.limits.clone(),
        }
    }

    /// How it went.
    pub(super) fn grade(&self) -> Grade {
        match (self.mismatches.is_empty(), self.limits.is_empty()) {
            (true, true) => Grade::AsInjected,
            (true, false) => Grade::Limited,
            (false, _) => Grade::Wrong,
        }
    }
}

/// The whole table. Every line ends with `\n`.
pub(super) fn draw(rows: &[Row], look: Look) -> String {
    let widest = |heading: &str, of: &dyn Fn(&Row) -> usize| {
        rows.iter().map(of).max().unwrap_or(0).max(heading.len())
    };
    let (name, proof) =
        (widest("SCENARIO", &|r| r.name.len()), widest("PROOF", &|r| r.proof.len()));
    let time = widest("TIME", &|r| r.time.len());
    let columns = |texts: [&str; 4], verdicts: &str| {
        let [a, b, c, d] = texts;
        format!(" {a:<name$}  {b:<4}  {c:>time$}  {d:<proof$}  {verdicts}\n")
    };
    let heading = columns(["SCENARIO", "OVER", "TIME", "PROOF"], "VERDICTS");
    let mut text = look.paint(Tone::Strong, &format!("     {}", heading.trim_end())).into_owned();
    text.push('\n');
    for row in rows {
        let (mark, tone) = match row.grade() {
            Grade::AsInjected => ("ok   ", Tone::Good),
            Grade::Limited => ("limit", Tone::Odd),
            Grade::Wrong => ("FAIL ", Tone::Bad),
        };
        text.push_str(&look.paint(tone, mark));
        let first = row.verdicts.first().map_or("", String::as_str);
        text.push_str(&columns([row.name, row.family, &row.time, row.proof], first));
        for further in row.verdicts.iter().skip(1) {
            text.push_str(&format!("     {}", columns([""; 4], further)));
        }
        let wrong = row.mismatches.iter().map(|line| (line, Tone::Bad));
        for (line, tone) in wrong.chain(row.limits.iter().map(|line| (line, Tone::Odd))) {
            text.push_str(&look.paint(tone, &format!("      {line}")));
            text.push('\n');
        }
    }
    text
}
