//! The figures of the whole run, printed below the table or the ladders.

use super::{
    style::{Look, Tone, outcome_tone, outcome_words, verdict_tone},
    summary::{HandshakeSeconds, Summary},
    wrap::{counted_item, wrap, wrap_items},
};
use model::{
    human,
    outcome::Outcome,
    record::HalfOpen,
    verdict::{Proof, Verdict},
};

/// The column where the figures start: after their label or, on a narrow terminal, below it.
const fn figures_column(look: Look) -> usize {
    if look.is_narrow() { 4 } else { 11 }
}

/// With fewer probes, a rate says little about the run: there is one interval less than probes, and the time
/// of the first and the last probe weighs too much.
const FEWEST_FOR_A_RATE: u64 = 100;

/// A few lines of figures, then notes on their limits.
pub(super) fn write(page: &mut String, summary: &Summary, look: Look) {
    text(page, "Total", Tone::Plain, &total(summary), look);
    let outcomes = Outcome::ALL.map(|o| (summary.outcome(o), outcome_words(o), outcome_tone(o)));
    list(page, "Outcomes", &outcomes, look);
    let verdicts = Verdict::ALL.map(|v| (summary.verdict(v), v.name(), verdict_tone(v)));
    list(page, "Verdicts", &verdicts, look);
    let proofs = Proof::ALL.map(|p| (summary.proof(p), p.name(), Tone::Plain));
    list(page, "Proof", &proofs, look);
    if summary.outcome(Outcome::Alive) > 1 {
        quantiles(page, &summary.handshake_seconds, look);
    }
    for (tone, note) in notes(summary) {
        text(page, "Note", tone, &note, look);
    }
}

/// `208 probes of 3 targets in 3.52 s, 104/s in the 2.00 s from the first to the last`. The rate does not
/// include the settle time of the last probes, so it names the time that it is over.
fn total(summary: &Summary) -> String {
    let probes = human::counted(summary.probes, "probe");
    let targets = human::counted(summary.targets.len() as u64, "target");
    let mut text = format!("{probes} of {targets} in {}", human::seconds(summary.duration_seconds));
    if summary.probes >= FEWEST_FOR_A_RATE && summary.probes_per_second > 0.0 {
        text.push_str(&format!(
            ", {} in the {} from the first to the last",
            human::rate(summary.probes_per_second),
            human::seconds(summary.probing_seconds)
        ));
    }
    text
}

/// `997 clean, 3 syn_retransmitted`: zero counts are left out.
fn list(page: &mut String, label: &str, counts: &[(u64, &str, Tone)], look: Look) {
    let items: Vec<_> = counts
        .iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, name, tone)| counted_item(*count, name, *tone, look))
        .collect();
    list_items(page, label, &items, look);
}

fn quantiles(page: &mut String, times: &HandshakeSeconds, look: Look) {
    let named = [
        ("min", times.min),
        ("p50", times.p50),
        ("p90", times.p90),
        ("p99", times.p99),
        ("max", times.max),
    ];
    let known = named.iter().filter_map(|(name, time)| Some((*name, (*time)?)));
    let parts: Vec<_> =
        known.map(|(name, time)| format!("{name} {}", human::seconds(time))).collect();
    let one = parts.join("   ");
    if figures_column(look) + one.len() <= look.width {
        line(page, "Handshake", &one, look);
    } else {
        let items: Vec<_> = parts.into_iter().map(|part| (part.len(), part)).collect();
        list_items(page, "Handshake", &items, look);
    }
}

/// Items beside their label, never broken.
fn list_items(page: &mut String, label: &str, items: &[(usize, String)], look: Look) {
    let lines = wrap_items(items, look.width - figures_column(look));
    if lines.is_empty() {
        line(page, label, "none", look);
    }
    for (index, text) in lines.iter().enumerate() {
        line(page, if index == 0 { label } else { "" }, text, look);
    }
}

fn line(page: &mut String, label: &str, text: &str, look: Look) {
    let column = figures_column(look);
    let painted = look.paint(if label.is_empty() { Tone::Plain } else { Tone::Strong }, label);
    if look.is_narrow() && !label.is_empty() {
        page.push_str(&format!("{painted}\n{:column$}{text}\n", ""));
    } else {
        page.push_str(&format!("{painted}{}{text}\n", " ".repeat(column - label.len())));
    }
}

/// Wrapped beside its label.
fn text(page: &mut String, label: &str, tone: Tone, text: &str, look: Look) {
    for (index, text) in wrap(text, look.width - figures_column(look)).iter().enumerate() {
        line(page, if index == 0 { label } else { "" }, &look.paint(tone, text), look);
    }
}

/// What to know before trusting the figures above.
fn notes(summary: &Summary) -> Vec<(Tone, String)> {
    let mut notes: Vec<(Tone, String)> = Vec::new();
    if summary.interrupted {
        let cut = match summary.unsettled {
            0 => String::new(),
            n => format!(
                "; {} judged before the settle window had passed",
                human::counted(n, "probe")
            ),
        };
        notes.push((Tone::Odd, format!("Interrupted: these are the figures so far{cut}.")));
    }
    if summary.events_lost > 0 {
        let text = format!(
            "{} lost: verdicts that may depend on them are not confirmed.",
            human::counted(summary.events_lost, "kernel event")
        );
        notes.push((Tone::Bad, text));
    }
    if summary.worker_stalls > 0 {
        let text = format!(
            "{} of over a second: starts and timeouts were late.",
            human::counted(summary.worker_stalls, "worker stall")
        );
        notes.push((Tone::Bad, text));
    }
    // What follows concerns only some of the verdicts: a note about others would be no help.
    let unconfirmed = summary.probes - summary.proof(Proof::Confirmed);
    if summary.tracing == "none" && unconfirmed > 0 {
        let text = "No kernel events: outcomes and SYN retransmits are inferred from TCP_INFO and timing, \
                    and lost RSTs are not seen.";
        notes.push((Tone::Odd, text.to_owned()));
    }
    let answered = summary.outcome(Outcome::Alive) > 0 || summary.verdict(Verdict::LateSynack) > 0;
    if summary.half_open == HalfOpen::NotEnforced.name() && answered {
        let some = match summary.unguarded {
            n @ 1.. if n < summary.probes => format!(
                " for {}, whose sockets are not in its cgroup (was the process moved?)",
                human::counted(n, "probe")
            ),
            _ => String::new(),
        };
        let text = format!(
            "The ACK guard was not in effect{some}: only the prompt close kept the handshakes half-open."
        );
        notes.push((Tone::Odd, text));
    } else if summary.acks_held > 0 {
        let text = format!(
            "{} held back that would have completed a handshake.",
            human::counted(summary.acks_held, "ACK")
        );
        notes.push((Tone::Plain, text));
    }
    if summary.early_reuses > 0 {
        let text = format!(
            "{} reused a source port before its settle window had passed.",
            human::counted(summary.early_reuses, "probe")
        );
        notes.push((Tone::Odd, text));
    }
    if summary.confirmations > 0 {
        let text = format!(
            "{} checked by a confirmation probe.",
            human::counted(summary.confirmations, "refusal")
        );
        notes.push((Tone::Plain, text));
    }
    let spans = summary.spans;
    if spans.rejected + spans.dropped > 0 {
        let text = format!(
            "Spans not delivered: {} rejected, {} dropped, {} accepted.",
            human::count(spans.rejected),
            human::count(spans.dropped),
            human::count(spans.accepted)
        );
        notes.push((Tone::Bad, text));
    }
    notes
}
