//! A probe that has been judged, and a judged probe put into words.

use std::borrow::Cow;

use model::{claim::Claim, expect::Expect, finding::Finding, step::Step, verdict::Judgements};

use crate::{claims::claims, narrate, rules, steps, timeline::Timeline};

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
    let sets: Vec<Vec<Claim>> = verdicts.iter().map(|j| claims(&timeline, *j)).collect();
    // Most probes have one verdict, whose claims are all that there are.
    let all: Cow<'_, [Claim]> = match sets.as_slice() {
        [only] => Cow::Borrowed(only),
        several => Cow::Owned(several.concat()),
    };
    let steps = steps::steps(&timeline, &all);
    let judged = verdicts.iter().zip(&sets);
    let mut findings: Vec<Finding> = judged
        .map(|(judgement, own)| narrate::finding(&timeline, *judgement, own, &all, expected))
        .collect();
    for (finding, claims) in findings.iter_mut().zip(sets) {
        finding.claims = claims;
    }
    give_each_advice_once(&mut findings);
    ExplainedProbe { timeline, findings, steps, expected }
}

/// Several verdicts of a probe may have one cause: the first gives the advice.
fn give_each_advice_once(findings: &mut [Finding]) {
    for at in 1..findings.len() {
        let (earlier, later) = findings.split_at_mut(at);
        if let Some(finding) = later.first_mut()
            && earlier.iter().any(|f| f.advice == finding.advice)
        {
            finding.advice = None;
        }
    }
}
