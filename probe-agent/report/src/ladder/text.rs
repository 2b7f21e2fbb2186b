//! The text below the diagram: what happened, the evidence, and what to do.

use super::times::Times;
use crate::{
    style::{Look, Tone, outcome_words, verdict_tone},
    wrap::wrap,
};
use explain::ExplainedProbe;
use model::{
    finding::{Evidence, Finding},
    record::ProbeId,
    verdict::Verdict,
};

/// Where the text starts: after its label or, on a narrow terminal, below it.
const fn text_column(look: Look) -> usize {
    if look.is_narrow() { 4 } else { 17 }
}

pub(super) fn write(page: &mut String, probe: &ExplainedProbe, times: &Times, look: Look) {
    for (index, finding) in probe.findings.iter().enumerate() {
        if index > 0 {
            page.push('\n');
            let title = format!("{} ({})", finding.verdict.title(), finding.proof.name());
            paragraph(page, "Also", &title, verdict_tone(finding.verdict), look);
        }
        let given = probe.findings[..index].iter().any(|f| f.advice == finding.advice);
        write_finding(page, finding, given, times, look);
    }
    if let Some(confirmation) = probe.timeline.confirmation {
        let outcome = outcome_words(confirmation.outcome);
        let text = if confirmation.id.has_slot() {
            format!("probe {} from port {}: {outcome}", confirmation.id, confirmation.local_port)
        } else {
            format!("this host had no port for it: {outcome}")
        };
        paragraph(page, "Confirmation", &text, Tone::Plain, look);
    }
}

/// `given`: an earlier finding of this probe has the same advice.
fn write_finding(page: &mut String, finding: &Finding, given: bool, times: &Times, look: Look) {
    paragraph(page, "What happened", &finding.sentence, Tone::Plain, look);
    evidence(page, &finding.evidence, times, look);
    if let Some(advice) = finding.advice.as_ref().filter(|_| !given) {
        paragraph(page, "What to do", advice, Tone::Plain, look);
    }
    if let Some(other) = finding.link {
        paragraph(page, "See also", &link(finding.verdict, other), Tone::Plain, look);
    }
}

/// One line for each observation, with a column of times if any has a time.
fn evidence(page: &mut String, evidence: &[Evidence], times: &Times, look: Look) {
    let timed = evidence.iter().any(|e| e.at.is_some());
    let before = if timed { times.width() + 2 } else { 0 };
    let mut label = "Evidence";
    for observation in evidence {
        let time = match observation.at {
            Some(at) => format!("{}  ", times.column(at)),
            None if look.is_narrow() => String::new(),
            None => " ".repeat(before),
        };
        // On a narrow terminal, only the first line is beside its time: a name may need the whole line.
        let indent = if look.is_narrow() { 2 } else { before };
        let first = wrap_first(&observation.text, time.len(), indent, look);
        for (index, line) in first.iter().enumerate() {
            start(page, if index == 0 { label } else { "" }, look);
            let before = if index == 0 { &time } else { &" ".repeat(indent) };
            page.push_str(&format!("{before}{line}\n"));
        }
        label = "";
    }
}

/// A label with its text wrapped beside it.
pub fn paragraph(page: &mut String, label: &str, text: &str, tone: Tone, look: Look) {
    for (index, line) in lines(text, 0, look).iter().enumerate() {
        start(page, if index == 0 { label } else { "" }, look);
        page.push_str(&look.paint(tone, line));
        page.push('\n');
    }
}

/// A text in the text column, with room for `time` characters before its first line and for `indent`
/// before the others.
fn wrap_first(text: &str, time: usize, indent: usize, look: Look) -> Vec<String> {
    if time == indent {
        return lines(text, indent, look);
    }
    let first = lines(text, time, look).into_iter().next().unwrap_or_default();
    let words = first.split_whitespace().count();
    let rest: Vec<&str> = text.split_whitespace().skip(words).collect();
    let rest = lines(&rest.join(" "), indent, look);
    [first].into_iter().chain(rest).collect()
}

/// A text in the text column, with room for `before` characters before it.
fn lines(text: &str, before: usize, look: Look) -> Vec<String> {
    wrap(text, look.width.saturating_sub(text_column(look) + before).max(20))
}

/// Starts a line: a label, if there is one, and the way to the text column.
fn start(page: &mut String, label: &str, look: Look) {
    let painted = look.paint(if label.is_empty() { Tone::Plain } else { Tone::Strong }, label);
    let column = text_column(look);
    if !look.is_narrow() {
        page.push_str(&format!("  {painted}{}", " ".repeat(column - 2 - label.len())));
        return;
    }
    if !label.is_empty() {
        page.push_str(&format!("  {painted}\n"));
    }
    page.push_str(&" ".repeat(column));
}

/// The role of the other probe.
fn link(verdict: Verdict, other: ProbeId) -> String {
    match verdict {
        Verdict::RstLostPortReuse => format!("probe {other}, which met the stale connection"),
        Verdict::StaleSynRecvChallengeAck | Verdict::StaleSynRecvReset => {
            format!("probe {other}, which left the stale connection")
        }
        _ => format!("probe {other}"),
    }
}
