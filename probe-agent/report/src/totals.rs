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

/// The column where the figures start, after their label.
const FIGURES_COLUMN: usize = 11;

/// A few lines of figures, then notes on their limits.
pub(super) fn write(page: &mut String, summary: &Summary, look: Look) {
    let targets = human::counted(summary.targets.len() as u64, "target");
    let mut text = format!("{} of {targets}", human::counted(summary.probes, "probe"));
    text.push_str(&format!(" in {}", human::seconds(summary.duration_seconds)));
    if summary.probes > 1 && summary.probes_per_second > 0.0 {
        text.push_str(&format!(", {}", human::rate(summary.probes_per_second)));
    }
    line(page, "Total", &text, look);
    let outcomes = Outcome::ALL.map(|o| (summary.outcome(o), outcome_words(o), outcome_tone(o)));
    list(page, "Outcomes", &outcomes, look);
    let verdicts = Verdict::ALL.map(|v| (summary.verdict(v), v.name(), verdict_tone(v)));
    list(page, "Verdicts", &verdicts, look);
    let proofs = Proof::ALL.map(|p| (summary.proof(p), p.name(), Tone::Plain));
    list(page, "Proof", &proofs, look);
    if summary.outcome(Outcome::Alive) > 1 {
        line(page, "Handshake", &quantiles(&summary.handshake_seconds), look);
    }
    limits(page, summary, look);
}

/// `997 clean, 3 syn_retransmitted`: zero counts are left out.
fn list(page: &mut String, label: &str, counts: &[(u64, &str, Tone)], look: Look) {
    let items: Vec<_> = counts
        .iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, name, tone)| counted_item(*count, name, *tone, look))
        .collect();
    let lines = wrap_items(&items, look.width - FIGURES_COLUMN);
    if lines.is_empty() {
        line(page, label, "none", look);
    }
    for (index, text) in lines.iter().enumerate() {
        line(page, if index == 0 { label } else { "" }, text, look);
    }
}

fn quantiles(times: &HandshakeSeconds) -> String {
    let named = [
        ("min", times.min),
        ("p50", times.p50),
        ("p90", times.p90),
        ("p99", times.p99),
        ("max", times.max),
    ];
    let parts: Vec<_> = named
        .iter()
        .filter_map(|(name, time)| time.map(|time| format!("{name} {}", human::seconds(time))))
        .collect();
    parts.join("   ")
}

fn line(page: &mut String, label: &str, text: &str, look: Look) {
    let padding = " ".repeat(FIGURES_COLUMN - label.len());
    let tone = if label.is_empty() { Tone::Plain } else { Tone::Strong };
    page.push_str(&format!("{}{padding}{text}\n", look.paint(tone, label)));
}

/// What to know before trusting the figures above.
fn limits(page: &mut String, summary: &Summary, look: Look) {
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
    if summary.tracing == "none" {
        let text = "No kernel events: verdicts are inferred from TCP_INFO and timing.";
        notes.push((Tone::Odd, text.to_owned()));
    }
    if summary.half_open == HalfOpen::NotEnforced.name() {
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
            "{} checked by a confirmation probe from another port.",
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
    for (tone, note) in notes {
        for (index, text) in wrap(&note, look.width - FIGURES_COLUMN).iter().enumerate() {
            line(page, if index == 0 { "Note" } else { "" }, &look.paint(tone, text), look);
        }
    }
}
