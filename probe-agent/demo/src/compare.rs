//! Compares the verdicts of a scenario with what was injected.

use super::{result::ScenarioResult, scenario::Expected};
use explain::ExplainedProbe;
use model::verdict::{Proof, Verdict};

/// What differs, a line for each.
pub(super) fn mismatches(result: &ScenarioResult) -> Vec<String> {
    let scenario = result.scenario;
    let mut lines = Vec::new();
    let mut same = |what: String, expected: String, got: String| {
        if expected != got {
            lines.push(format!("{what}: expected {expected}, got {got}"));
        }
    };
    let number = |n: usize| n.to_string();
    same("probes".to_owned(), number(scenario.expected.len()), number(result.probes.len()));
    for (index, (expected, probe)) in scenario.expected.iter().zip(&result.probes).enumerate() {
        let of = |what: &str| format!("{what} of probe {}", index + 1);
        same(
            of("outcome"),
            expected.outcome.name().to_owned(),
            probe.timeline.outcome().name().to_owned(),
        );
        same(of("verdicts"), names(expected.verdicts.iter().copied()), verdicts(probe));
        same(of("proof"), expected.proof.name().to_owned(), proof(probe).name().to_owned());
        same(of("link"), expected_link(expected, result), link(probe));
        let wanted = expected.advice.unwrap_or_default();
        if !probe.findings.iter().any(|f| f.advice.as_deref().unwrap_or("").contains(wanted)) {
            let got = probe.findings.iter().find_map(|f| f.advice.clone());
            same(of("advice"), format!("{wanted:?}"), format!("{:?}", got.unwrap_or_default()));
        }
    }
    for (injection, hits) in scenario.injected.iter().zip(&result.hits) {
        if !injection.hits.contains(hits) {
            let (least, most) = (injection.hits.start(), injection.hits.end());
            let wanted =
                if least == most { least.to_string() } else { format!("{least} to {most}") };
            let what = format!("segments that nftables counted ({:?})", injection.fault.segment);
            same(what, wanted, hits.to_string());
        }
    }
    let (wanted, got) = (scenario.server_counts, result.server_counts);
    same(
        "connections given to the server's application".to_owned(),
        number(0),
        number(result.accepted),
    );
    same(
        "half-open connections that the server's kernel saw reset".to_owned(),
        wanted.resets.to_string(),
        got.resets.to_string(),
    );
    same(
        "half-open connections left at the server".to_owned(),
        number(wanted.half_open),
        number(got.half_open),
    );
    same("kernel events lost".to_owned(), number(0), result.events_lost.to_string());
    lines
}

fn names(verdicts: impl Iterator<Item = Verdict>) -> String {
    verdicts.map(Verdict::name).collect::<Vec<_>>().join(" + ")
}

/// The verdicts on a probe, in one line.
pub(super) fn verdicts(probe: &ExplainedProbe) -> String {
    names(probe.findings.iter().map(|finding| finding.verdict))
}

/// The weakest proof among the verdicts on a probe.
pub(super) fn proof(probe: &ExplainedProbe) -> Proof {
    probe.findings.iter().map(|finding| finding.proof).max().unwrap_or(Proof::Unknown)
}

fn expected_link(expected: &Expected, result: &ScenarioResult) -> String {
    match expected.about.map(|index| result.probes.get(index)) {
        None => "none".to_owned(),
        Some(Some(probe)) => format!("probe {}", probe.timeline.probe.id),
        Some(None) => "a probe that is missing".to_owned(),
    }
}

fn link(probe: &ExplainedProbe) -> String {
    match probe.findings.first().and_then(|finding| finding.link) {
        Some(id) => format!("probe {id}"),
        None => "none".to_owned(),
    }
}
