//! Totals over all probes.

use std::collections::BTreeMap;

use model::{
    outcome::Outcome,
    verdict::{Proof, Verdict},
};

use super::super::{
    histogram::write_histogram,
    view::{View, Write, labelled, one},
};
use crate::{
    counts::{HistogramTotals, RstSender},
    exemplar::ExemplarSlot,
    family::{Family, counter, histogram},
    page::{Page, Value},
    shared::lock,
};

pub(crate) const PROBES: [(Family, Write); 10] = [
    (
        counter("probe_agent_probes_total", &["outcome"], "5", "Settled probes by outcome."),
        |view, page| {
            for outcome in Outcome::ALL {
                let count = view.sum(|worker| worker.probes.outcome(outcome));
                labelled(page, "outcome", outcome.name(), count);
            }
        },
    ),
    (
        histogram(
            "probe_agent_handshake_seconds",
            "20",
            "The time from SYN to SYN-ACK, by the kernel's clock where kernel events are available.",
        ),
        handshake,
    ),
    (
        counter(
            "probe_agent_findings_total",
            &["verdict", "proof"],
            "51",
            "Verdicts on probes, with their proof: confirmed, inferred or unknown. A probe may have several.",
        ),
        findings,
    ),
    (
        counter("probe_agent_syn_retransmits_total", &[], "1", "SYNs that had to be sent again."),
        |view, page| one(page, view.sum(|worker| worker.probes.syn_retransmits.get())),
    ),
    (
        counter(
            "probe_agent_rsts_total",
            &["sender"],
            "3",
            "RSTs by sender: close (ours at the end of a probe; a Linux target counts each as EmbryonicRsts and AttemptFails), answer (ours, to a segment of no connection), target (the target's).",
        ),
        |view, page| {
            for sender in RstSender::ALL {
                let count = view.sum(|worker| worker.probes.rsts(sender));
                labelled(page, "sender", sender.name(), count);
            }
        },
    ),
    (
        counter(
            "probe_agent_acks_held_back_total",
            &[],
            "1",
            "ACKs that the guard dropped because they would have completed a handshake.",
        ),
        |view, page| one(page, view.sum(|worker| worker.probes.acks_held_back.get())),
    ),
    (
        counter(
            "probe_agent_unguarded_probes_total",
            &[],
            "1",
            "Probes without the ACK guard: only the prompt close kept their handshake half-open.",
        ),
        |view, page| one(page, view.sum(|worker| worker.unguarded.get())),
    ),
    (
        counter(
            "probe_agent_confirmation_probes_total",
            &[],
            "1",
            "Probes from another port that checked a refusal. No other metric counts them.",
        ),
        |view, page| one(page, view.sum(|worker| worker.confirmations.get())),
    ),
    (
        counter(
            "probe_agent_packets_dropped_total",
            &["reason", "place"],
            "131 per worker, in practice 10: written once it has occurred",
            "Packets of probes that the kernel of this host dropped, by its reason and by network namespace: our_netns, other_netns or unknown.",
        ),
        drops,
    ),
    (
        counter(
            "probe_agent_source_port_early_reuses_total",
            &[],
            "1",
            "Probes that had to reuse a port before its settle window had passed: there are too few ports.",
        ),
        |view, page| one(page, view.sum(|worker| worker.early_reuses.get())),
    ),
];

fn handshake(view: &View, page: &mut Page) {
    let mut totals = HistogramTotals::default();
    view.workers.iter().for_each(|worker| worker.probes.add_handshakes(&mut totals));
    let exemplar = |at| view.shared.handshake_exemplars.get(at).and_then(ExemplarSlot::get);
    write_histogram(page, "", &totals, exemplar);
}

/// All of them, also those that have not occurred: an alert on the increase of a series misses the first one if
/// the series begins with it.
fn findings(view: &View, page: &mut Page) {
    for verdict in Verdict::ALL {
        for proof in Proof::ALL {
            let count = view.sum(|worker| worker.probes.findings(verdict, proof));
            let more = [("verdict", verdict.name()), ("proof", proof.name())];
            let exemplar = view.shared.finding_slot(verdict, proof).and_then(ExemplarSlot::get);
            page.sample("", "", &more, Value::Count(count), exemplar);
        }
    }
}

fn drops(view: &View, page: &mut Page) {
    let mut total = BTreeMap::<_, u64>::new();
    for worker in &view.workers {
        for (key, count) in lock(&worker.drops).iter() {
            *total.entry(*key).or_default() += count;
        }
    }
    for ((reason, place), count) in total {
        let more = [("reason", reason), ("place", place)];
        page.sample("", "", &more, Value::Count(count), None);
    }
}
