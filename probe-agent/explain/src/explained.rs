//! A probe that has been judged, and a judged probe put into words.

use model::{
    expect::Expect,
    finding::Finding,
    step::Step,
    verdict::{Judgements, Verdict},
};

use crate::{narrate, rules, steps, timeline::Timeline};

/// A settled probe with its verdicts. Made once, by the engine, and read by every output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The probe and its events.
    pub timeline: Timeline,
    /// The verdicts, the most telling first; never empty.
    pub verdicts: Judgements,
    /// Whether the outcome is the expected one.
    pub expected: bool,
}

impl Judged {
    /// Judges a timeline.
    #[must_use]
    pub fn new(timeline: Timeline, expect: Expect) -> Self {
        let verdicts = rules::judge(&timeline);
        let expected = expect.is_met(timeline.outcome());
        Self { timeline, verdicts, expected }
    }
}

/// A judged probe in words: what reports and spans are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedProbe {
    /// The probe and its events.
    pub timeline: Timeline,
    /// The verdicts, the most telling first; never empty.
    pub findings: Vec<Finding>,
    /// The exchange, in time order.
    pub steps: Vec<Step>,
    /// Whether the outcome is the expected one.
    pub expected: bool,
}

/// Puts a judged probe into words.
#[must_use]
pub fn explain(judged: Judged) -> ExplainedProbe {
    let Judged { timeline, verdicts, expected } = judged;
    let mut findings: Vec<Finding> =
        verdicts.iter().map(|j| narrate::finding(&timeline, *j)).collect();
    // Where a refusal is expected, there is nothing to do about it.
    let expected_refusal = |f: &&mut Finding| expected && f.verdict == Verdict::Refused;
    findings.iter_mut().filter(expected_refusal).for_each(|finding| finding.advice = None);
    let steps = steps::steps(&timeline);
    ExplainedProbe { timeline, findings, steps, expected }
}

#[cfg(test)]
mod tests {
    use model::{expect::Expect, fixtures::probe_record, outcome::Outcome};

    use super::{Judged, explain};
    use crate::fixtures::timeline;

    #[test]
    fn an_expected_refusal_needs_no_advice() {
        for (expect, advised) in [(Expect::Open, true), (Expect::Closed, false)] {
            let refused = timeline(probe_record(Outcome::Refused, 1_000_000));
            let explained = explain(Judged::new(refused, expect));
            assert_eq!(explained.findings[0].advice.is_some(), advised, "{expect:?}");
        }
    }
}
