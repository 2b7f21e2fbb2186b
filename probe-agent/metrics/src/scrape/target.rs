//! The metrics of single targets.

use model::{
    outcome::Outcome,
    verdict::{Proof, Verdict},
};

use super::histogram::write_histogram;
use crate::{
    counts::{HistogramTotals, ProbeCounts, RstSender, bucket_of},
    family::{Family, counter, gauge, histogram},
    health::Health,
    page::{Page, Value},
    shared::{Options, lock},
    targets::TargetEntry,
};

/// Writes the series that one target has of a family.
type Write = fn(&TargetEntry, Options, &mut Page);

pub(super) const TARGET: [(Family, Write); 9] = [
    (
        gauge(
            "probe_agent_target_state",
            &["state"],
            "3 per target",
            "The state of a target, after the thresholds: 1 for the one that it is in (up, down or unknown), 0 for the others.",
        ),
        state,
    ),
    (
        gauge(
            "probe_agent_target_state_since_timestamp_seconds",
            &[],
            "1 per target",
            "When a target entered its state; absent before its first state.",
        ),
        since,
    ),
    (
        counter(
            "probe_agent_target_state_changes_total",
            &["state", "verdict"],
            "51 per target, in practice 2: written once it has occurred",
            "How often a target entered a state, by the verdict behind the change.",
        ),
        changes,
    ),
    (
        counter(
            "probe_agent_target_probes_total",
            &["outcome"],
            "5 per target",
            "Settled probes of a target by outcome.",
        ),
        probes,
    ),
    (
        histogram(
            "probe_agent_target_handshake_seconds",
            "20 per target; none if they are switched off",
            "The time from SYN to SYN-ACK of a target, by the kernel's clock where kernel events are available.",
        ),
        handshake,
    ),
    (
        counter(
            "probe_agent_target_findings_total",
            &["verdict", "proof"],
            "51 per target, in practice 3: written once it has occurred",
            "Verdicts on the probes of a target, with their proof. A probe may have several.",
        ),
        findings,
    ),
    (
        counter(
            "probe_agent_target_syn_retransmits_total",
            &[],
            "1 per target",
            "SYNs to a target that had to be sent again.",
        ),
        |entry, _, page| one(entry, page, |counts| counts.syn_retransmits.get()),
    ),
    (
        counter(
            "probe_agent_target_rsts_total",
            &["sender"],
            "3 per target",
            "RSTs by sender: close (ours at the end of a probe), answer (ours, to a segment of no connection), target (the target's).",
        ),
        rsts,
    ),
    (
        counter(
            "probe_agent_target_acks_held_back_total",
            &[],
            "1 per target",
            "ACKs to a target that the guard dropped because they would have completed a handshake.",
        ),
        |entry, _, page| one(entry, page, |counts| counts.acks_held_back.get()),
    ),
];

fn state(entry: &TargetEntry, _: Options, page: &mut Page) {
    let current = lock(&entry.health).state;
    for state in Health::ALL {
        let value = Value::Count(u64::from(state == current));
        page.sample("", entry.labels.as_str(), &[("state", state.name())], value, None);
    }
}

fn since(entry: &TargetEntry, _: Options, page: &mut Page) {
    let since = lock(&entry.health).since;
    if let Some(since) = since {
        let value = Value::Float(since.as_secs_f64());
        page.sample("", entry.labels.as_str(), &[], value, None);
    }
}

fn changes(entry: &TargetEntry, _: Options, page: &mut Page) {
    for ((state, verdict), count) in &lock(&entry.health).changes {
        let more = [("state", state.name()), ("verdict", verdict.name())];
        page.sample("", entry.labels.as_str(), &more, Value::Count(*count), None);
    }
}

fn probes(entry: &TargetEntry, _: Options, page: &mut Page) {
    for outcome in Outcome::ALL {
        let value = Value::Count(entry.sum(|counts| counts.outcome(outcome)));
        page.sample("", entry.labels.as_str(), &[("outcome", outcome.name())], value, None);
    }
}

fn handshake(entry: &TargetEntry, options: Options, page: &mut Page) {
    if options.target_histograms {
        let mut totals = HistogramTotals::default();
        entry.each(|counts| counts.add_handshakes(&mut totals));
        let exemplar = entry.exemplar.get();
        let bucket = exemplar.and_then(|e| e.handshake).map(bucket_of);
        let of = |at| exemplar.filter(|_| bucket == Some(at));
        write_histogram(page, entry.labels.as_str(), &totals, of);
    }
}

fn findings(entry: &TargetEntry, _: Options, page: &mut Page) {
    let mut is_unusual = false;
    entry.each(|counts| is_unusual |= counts.is_unusual());
    let verdicts = if is_unusual { &Verdict::ALL[..] } else { &[Verdict::Clean] };
    for &verdict in verdicts {
        for proof in Proof::ALL {
            let count = entry.sum(|counts| counts.findings(verdict, proof));
            if count > 0 {
                let more = [("verdict", verdict.name()), ("proof", proof.name())];
                page.sample("", entry.labels.as_str(), &more, Value::Count(count), None);
            }
        }
    }
}

fn rsts(entry: &TargetEntry, _: Options, page: &mut Page) {
    for sender in RstSender::ALL {
        let value = Value::Count(entry.sum(|counts| counts.rsts(sender)));
        page.sample("", entry.labels.as_str(), &[("sender", sender.name())], value, None);
    }
}

fn one(entry: &TargetEntry, page: &mut Page, read: fn(&ProbeCounts) -> u64) {
    page.sample("", entry.labels.as_str(), &[], Value::Count(entry.sum(read)), None);
}
