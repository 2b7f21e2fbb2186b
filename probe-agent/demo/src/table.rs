//! All scenarios in one table.

use super::{compare, describe, play::Played};
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
    complaints: Vec<String>,
}

impl Row {
    /// The row of a scenario.
    pub(super) fn new(played: &Played) -> Self {
        let proof = played.probes.iter().map(compare::proof).max().unwrap_or(Proof::Unknown);
        Self {
            name: played.scenario.name,
            family: describe::family(played.family),
            time: human::seconds(played.took.as_secs_f64()),
            proof: proof.name(),
            verdicts: played.probes.iter().map(compare::said).collect(),
            complaints: played.complaints(),
        }
    }

    /// Whether everything is as injected.
    pub(super) fn is_ok(&self) -> bool {
        self.complaints.is_empty()
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
        format!("  {a:<name$}  {b:<4}  {c:>time$}  {d:<proof$}  {verdicts}\n")
    };
    let heading = columns(["SCENARIO", "OVER", "TIME", "PROOF"], "VERDICTS");
    let mut page = look.paint(Tone::Strong, &format!("    {}", heading.trim_end())).into_owned();
    page.push('\n');
    for row in rows {
        let (mark, tone) = if row.is_ok() { ("ok  ", Tone::Good) } else { ("FAIL", Tone::Bad) };
        page.push_str(&look.paint(tone, mark));
        let first = row.verdicts.first().map_or("", String::as_str);
        page.push_str(&columns([row.name, row.family, &row.time, row.proof], first));
        for further in row.verdicts.iter().skip(1) {
            page.push_str(&format!("    {}", columns([""; 4], further)));
        }
        for complaint in &row.complaints {
            page.push_str(&look.paint(Tone::Bad, &format!("      {complaint}")));
            page.push('\n');
        }
    }
    page
}
