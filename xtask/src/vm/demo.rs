//! What the demo saw, from its JSON.

use std::collections::BTreeSet;

use crate::failure::{Failure, Result};

use super::value::Value;

/// How a verdict that ought to be reported was seen, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Confirmed,
    Inferred,
    Unknown,
    Not,
}

/// One probe of the demo.
#[derive(Debug)]
pub(super) struct Probe {
    /// Its scenario and address family.
    scenario: String,
    expected: Vec<String>,
    /// Verdicts with their proofs.
    findings: Vec<(String, String)>,
    complaints: Vec<String>,
    limits: Vec<String>,
}

/// Reads the lines that `probe-agent demo --output json` prints.
pub(super) fn read(lines: &[String]) -> Result<Vec<Probe>> {
    let unread = |line: &str| Failure::new(format!("the demo printed what is no probe: {line}"));
    lines.iter().map(|line| probe(line).ok_or_else(|| unread(line))).collect()
}

fn probe(line: &str) -> Option<Probe> {
    let object = Value::parse(line)?;
    let text = |object: &Value, key: &str| object.get(key)?.text().map(str::to_owned);
    let texts = |key: &str| -> Option<Vec<String>> {
        object.get(key)?.list().iter().map(|item| item.text().map(str::to_owned)).collect()
    };
    let findings = object.get("probe")?.get("findings")?.list();
    Some(Probe {
        scenario: format!("{} over {}", text(&object, "scenario")?, text(&object, "network_type")?),
        expected: texts("expected_verdicts")?,
        findings: findings
            .iter()
            .map(|finding| Some((text(finding, "verdict")?, text(finding, "proof")?)))
            .collect::<Option<_>>()?,
        complaints: texts("complaints")?,
        limits: texts("limits")?,
    })
}

/// All verdicts that ought to be seen, in the order of the demo.
pub(super) fn expected<'a>(probes: impl IntoIterator<Item = &'a Probe>) -> Vec<&'a str> {
    let mut all: Vec<&str> = Vec::new();
    for verdict in probes.into_iter().flat_map(|probe| &probe.expected) {
        if !all.contains(&verdict.as_str()) {
            all.push(verdict);
        }
    }
    all
}

/// In which ways a verdict was seen, over all probes that ought to get it.
pub(super) fn seen(probes: &[Probe], verdict: &str) -> BTreeSet<Seen> {
    let concerned =
        probes.iter().filter(|p| p.was_injected() && p.expected.iter().any(|e| e == verdict));
    concerned.map(|probe| probe.seen(verdict)).collect()
}

/// What was reported wrongly, a line for each.
pub(super) fn wrong(probes: &[Probe]) -> Vec<String> {
    let mut lines = Vec::new();
    for probe in probes {
        for complaint in &probe.complaints {
            let line = format!("{}: {complaint}", probe.scenario);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

impl Probe {
    /// A slow machine cannot inject everything.
    fn was_injected(&self) -> bool {
        !self.limits.iter().any(|limit| limit.starts_with("not injected"))
    }

    fn seen(&self, verdict: &str) -> Seen {
        let found = self.findings.iter().find(|(found, _)| found == verdict);
        match found.map(|(_, proof)| proof.as_str()) {
            Some("confirmed") => Seen::Confirmed,
            Some("inferred") => Seen::Inferred,
            Some(_) => Seen::Unknown,
            None => Seen::Not,
        }
    }
}

impl Seen {
    /// As the page has it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
            Self::Not => "not seen",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(expected: &str, findings: &str, limits: &str) -> String {
        format!(
            r#"{{"scenario":"a","network_type":"ipv4","complaints":["x: wrong"],"limits":[{limits}],"expected_verdicts":[{expected}],"probe":{{"findings":[{findings}]}}}}"#
        )
    }

    #[test]
    fn a_verdict_is_seen_as_its_findings_say() {
        let lines = [
            line(r#""late","out""#, r#"{"verdict":"out","proof":"confirmed"}"#, ""),
            line(r#""out""#, r#"{"verdict":"out","proof":"inferred"}"#, ""),
            // The machine was too slow: this says nothing.
            line(r#""late""#, "", r#""not injected: too late""#),
        ];
        let probes = read(&lines).unwrap();
        assert_eq!(expected(&probes), ["late", "out"]);
        assert_eq!(seen(&probes, "out"), [Seen::Confirmed, Seen::Inferred].into());
        assert_eq!(seen(&probes, "late"), [Seen::Not].into());
        assert_eq!(wrong(&probes), ["a over ipv4: x: wrong"]);
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(read(&["thread 'main' panicked".to_owned()]).is_err());
        assert!(read(&["{}".to_owned()]).is_err());
    }
}
