//! Compares the verdicts of a scenario with what was injected.
//!
//! A kernel or a privilege may lack something that a verdict rests on. What does not show there is a limit, as
//! long as nothing else is claimed in its place.

mod limits;

use super::{
    result::ScenarioResult,
    scenario::{Expected, Injection},
};
use explain::ExplainedProbe;
use model::verdict::{Proof, Verdict};

/// What differs from what was injected, a line for each.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// What is wrong.
    pub(super) mismatches: Vec<String>,
    /// What this host cannot show.
    pub(super) limits: Vec<String>,
}

/// Compares everything that was reported and counted.
pub(super) fn differences(result: &ScenarioResult) -> Differences {
    let scenario = result.scenario;
    let mut found = Differences::default();
    let number = |n: usize| n.to_string();
    let wrong = &mut found.mismatches;
    same(wrong, "probes", number(scenario.expected.len()), number(result.probes.len()));
    for (index, (expected, probe)) in scenario.expected.iter().zip(&result.probes).enumerate() {
        let mismatches = of_probe(index + 1, expected, probe, result);
        match limits::of_probe(result, expected, probe) {
            Some(limit) if !mismatches.is_empty() => found.limits.push(limit),
            _ => found.mismatches.extend(mismatches),
        }
    }
    let wrong = &mut found.mismatches;
    for (injection, hits) in scenario.injected.iter().zip(&result.hits) {
        of_injection(wrong, injection, *hits);
    }
    let (wanted, got) = (scenario.server_counts, result.server_counts);
    let accepted = "connections given to the server's application";
    same(wrong, accepted, number(0), number(result.accepted));
    let resets = "half-open connections that the server's kernel saw reset";
    same(wrong, resets, wanted.resets.to_string(), got.resets.to_string());
    let left = "half-open connections left at the server";
    same(wrong, left, number(wanted.half_open), number(got.half_open));
    same(wrong, "kernel events lost", number(0), result.events_lost.to_string());
    found
}

fn same(lines: &mut Vec<String>, what: &str, expected: String, got: String) {
    if expected != got {
        lines.push(format!("{what}: expected {expected}, got {got}"));
    }
}

/// What is not as expected of the probe with this number.
fn of_probe(
    number: usize,
    expected: &Expected,
    probe: &ExplainedProbe,
    result: &ScenarioResult,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut same = |what: &str, expected: String, got: String| {
        same(&mut lines, &format!("{what} of probe {number}"), expected, got);
    };
    let outcome = probe.timeline.outcome().name();
    same("outcome", expected.outcome.name().to_owned(), outcome.to_owned());
    same("verdicts", names(expected.verdicts.iter().copied()), verdicts(probe));
    same("proof", expected.proof.name().to_owned(), proof(probe).name().to_owned());
    same("link", expected_link(expected, result), link(probe));
    let wanted = expected.advice.unwrap_or_default();
    if !probe.findings.iter().any(|f| f.advice.as_deref().unwrap_or("").contains(wanted)) {
        let got = probe.findings.iter().find_map(|f| f.advice.clone());
        same("advice", format!("{wanted:?}"), format!("{:?}", got.unwrap_or_default()));
    }
    lines
}

/// What was claimed that was not injected, a line for each; also where events were lost, and less may be
/// reported than was injected.
pub(super) fn false_claims(result: &ScenarioResult) -> Vec<String> {
    if !result.is_injected() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    for (index, (expected, probe)) in
        result.scenario.expected.iter().zip(&result.probes).enumerate()
    {
        for finding in probe.findings.iter().filter(|finding| finding.proof != Proof::Unknown) {
            let (verdict, proof) = (finding.verdict, finding.proof);
            if limits::is_false(expected.verdicts, expected.proof, (verdict, proof)) {
                let (number, lost) = (index + 1, result.events_lost);
                let (verdict, proof) = (verdict.name(), proof.name());
                lines.push(format!(
                    "false claim about probe {number}, with {lost} events lost: {verdict}, {proof}"
                ));
            }
        }
    }
    lines
}

fn of_injection(lines: &mut Vec<String>, injection: &Injection, hits: u64) {
    if injection.hits.contains(&hits) {
        return;
    }
    let (least, most) = (injection.hits.start(), injection.hits.end());
    let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
    let what = format!("segments that nftables counted ({:?})", injection.fault.segment);
    same(lines, &what, wanted, hits.to_string());
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
