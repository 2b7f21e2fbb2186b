//! The closed choices of the command line.

use clap::ValueEnum;

use crate::{
    explain::verdict::{Judgement, Proof, Verdict},
    probe::outcome::Outcome,
};

/// What a healthy target does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Expect {
    /// It answers with a SYN-ACK
    #[default]
    Open,
    /// It answers with a RST
    Closed,
}

impl Expect {
    /// Whether a probe went as expected.
    ///
    /// A refusal that a leftover in `SYN_RECV` made comes from a target that is up: it counts as
    /// open, unless that verdict is a mere guess.
    #[must_use]
    pub fn is_met(self, outcome: Outcome, judgements: &[Judgement]) -> bool {
        let false_refusal = judgements
            .iter()
            .any(|j| j.verdict == Verdict::StaleSynRecvReset && j.proof != Proof::Unknown);
        match self {
            Self::Open => outcome == Outcome::Alive || false_refusal,
            Self::Closed => outcome == Outcome::Refused && !false_refusal,
        }
    }
}

/// When a source port may probe the same target again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PortPolicy {
    /// Not before the settle window of its last probe has passed
    #[default]
    Rotate,
    /// At once: for reproducing what a leftover does to the next probe
    Pin,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// A row per target, and what was unusual
    #[default]
    Table,
    /// Each unusual exchange as a sequence diagram (all of them where there are ten or fewer)
    Ladder,
    /// One document: {"probes": [...], "summary": {...}}
    Json,
    /// One object per probe and line; the last line is {"summary": {...}}
    Jsonl,
}

#[cfg(test)]
mod tests {
    use super::Expect;
    use crate::{
        explain::verdict::{Judgement, Proof, Verdict},
        probe::outcome::Outcome,
    };

    #[test]
    fn what_is_expected() {
        let stale = Verdict::StaleSynRecvReset;
        for (outcome, verdict, proof, open, closed) in [
            (Outcome::Alive, Verdict::Clean, Proof::Confirmed, true, false),
            (Outcome::Alive, Verdict::RstLostUnrecovered, Proof::Inferred, true, false),
            (Outcome::Refused, Verdict::Refused, Proof::Confirmed, false, true),
            (Outcome::Refused, stale, Proof::Confirmed, true, false),
            (Outcome::Refused, stale, Proof::Unknown, false, true),
            (Outcome::TimedOut, Verdict::TimedOut, Proof::Confirmed, false, false),
            (Outcome::Unreachable, Verdict::Unreachable, Proof::Confirmed, false, false),
            (Outcome::LocalError, Verdict::LocalError, Proof::Confirmed, false, false),
        ] {
            let judgements = [Judgement { verdict, proof }];
            assert_eq!(Expect::Open.is_met(outcome, &judgements), open, "{verdict:?} {proof:?}");
            assert_eq!(Expect::Closed.is_met(outcome, &judgements), closed, "{verdict:?}");
        }
    }
}
