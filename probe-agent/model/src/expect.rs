//! What a healthy target does.

use crate::{outcome::Outcome, verdict::Verdict};

/// What a healthy target does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Expect {
    /// It answers with a SYN-ACK
    #[default]
    Open,
    /// It answers with a RST
    Closed,
}

impl Expect {
    /// The outcome of a healthy target.
    #[must_use]
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Open => Outcome::Alive,
            Self::Closed => Outcome::Refused,
        }
    }

    /// The verdict on a healthy target's probe, if nothing unusual happened to it.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Open => Verdict::Clean,
            Self::Closed => Verdict::Refused,
        }
    }

    /// Whether a probe had the expected outcome. Pass the outcome of the timeline, where a false refusal
    /// (path C) counts as alive.
    #[must_use]
    pub fn is_met(self, outcome: Outcome) -> bool {
        outcome == self.outcome()
    }
}

#[cfg(test)]
mod tests {
    use super::Expect;
    use crate::outcome::Outcome;

    #[test]
    fn each_expectation_is_met_by_one_outcome() {
        for outcome in Outcome::ALL {
            assert_eq!(Expect::Open.is_met(outcome), outcome == Outcome::Alive);
            assert_eq!(Expect::Closed.is_met(outcome), outcome == Outcome::Refused);
        }
    }
}
