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
    use crate::probe::outcome::Outcome;

    #[test]
    fn what_is_expected() {
        for outcome in Outcome::ALL {
            assert_eq!(Expect::Open.is_met(outcome), outcome == Outcome::Alive);
            assert_eq!(Expect::Closed.is_met(outcome), outcome == Outcome::Refused);
        }
    }
}
