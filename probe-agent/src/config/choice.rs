//! The closed choices of the command line.

use clap::ValueEnum;

use crate::probe::outcome::Outcome;
pub use crate::probe::settings::PortPolicy;

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
    /// Whether a probe went as expected. `outcome` is that of the timeline: a false refusal
    /// (path C) is none.
    #[must_use]
    pub fn is_met(self, outcome: Outcome) -> bool {
        outcome
            == match self {
                Self::Open => Outcome::Alive,
                Self::Closed => Outcome::Refused,
            }
    }
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
