//! Turns a timeline into verdicts. Pure: no I/O, no clock reads.

pub mod duration;
pub mod finding;
pub mod narrate;
pub mod rules;
pub mod step;
pub mod steps;
pub mod verdict;

use crate::correlate::timeline::Timeline;

/// Everything that is to be said of a probe.
#[must_use]
pub fn explain(timeline: Timeline) -> finding::ExplainedProbe {
    let findings =
        rules::judge(&timeline).iter().map(|j| narrate::finding(&timeline, *j)).collect();
    let steps = steps::steps(&timeline);
    finding::ExplainedProbe { timeline, findings, steps }
}

#[cfg(test)]
mod tests;
