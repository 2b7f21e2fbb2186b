//! One probe as a sequence diagram, followed by what happened, the evidence and the advice.

mod arrow;
mod diagram;
mod text;
mod times;

pub use self::text::paragraph;
use self::times::Times;
use super::{
    style::{Look, Tone, outcome_tone, outcome_words, verdict_tone},
    timestamp::rfc3339,
    wrap::wrap,
};
use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::expect::Expect;

/// Draws one probe. `target` is the target as the user wrote it. Every line ends with `\n`.
#[must_use]
pub fn draw(
    probe: &ExplainedProbe,
    target: &str,
    expect: Expect,
    clock: Clock,
    look: Look,
) -> String {
    let times = Times::new(probe);
    let mut page = String::new();
    header(&mut page, probe, target, expect, clock, look);
    diagram::draw(&mut page, probe, &times, look);
    text::write(&mut page, probe, &times, look);
    page
}

/// `RST lost, recovered by SYN-ACK retransmit            alive, confirmed`, and below it what was
/// probed and when.
fn header(
    page: &mut String,
    probe: &ExplainedProbe,
    target: &str,
    expect: Expect,
    clock: Clock,
    look: Look,
) {
    let record = &probe.timeline.probe;
    let outcome = outcome_words(probe.timeline.outcome());
    let met = expect.is_met(probe.timeline.outcome());
    let outcome_tone = if met { Tone::Good } else { outcome_tone(probe.timeline.outcome()) };
    if let Some(first) = probe.findings.first() {
        let title = first.verdict.title();
        let proof = first.proof.name();
        let used = title.len() + outcome.len() + ", ".len() + proof.len();
        let tone = verdict_tone(first.verdict);
        let painted = look.paint(outcome_tone, outcome);
        if used + 2 <= look.width {
            page.push_str(&look.paint(Tone::Strong, &look.paint(tone, title)));
            page.push_str(&format!("{}{painted}, {proof}\n", " ".repeat(look.width - used)));
        } else {
            for line in wrap(title, look.width) {
                page.push_str(&look.paint(Tone::Strong, &look.paint(tone, &line)));
                page.push('\n');
            }
            page.push_str(&format!("{painted}, {proof}\n"));
        }
    }
    let mut parts = vec![target.to_owned()];
    if record.id.has_slot() {
        parts.push(format!("probe {}", record.id));
    }
    parts.push(rfc3339(clock, record.syn_at()));
    let one = parts.join("   ");
    let lines = if one.len() <= look.width { vec![one] } else { parts };
    for line in lines {
        page.push_str(&look.paint(Tone::Faint, &line));
        page.push('\n');
    }
    page.push('\n');
}

#[cfg(test)]
mod tests;
