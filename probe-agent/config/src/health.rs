//! The state of a target, from the results of its probes.
//!
//! A target is up after `rise` good results in a row, and down after `fall` bad ones. While some results in a row
//! differ from its state, but not enough yet, the state is changing: the target is probed at its fast interval.
//! A probe that this host could not make says nothing about the target; after `fall` of them in a row, the state is
//! unknown.

use std::{fmt, time::Duration};

use model::{
    expect::Expect,
    outcome::Outcome,
    verdict::{Proof, Verdict},
};

use crate::schema::Policy;

/// The state of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// There were not enough results, or this host cannot probe.
    #[default]
    Unknown,
    /// It behaves as expected.
    Up,
    /// It does not.
    Down,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

/// What a probe says about its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// When the probe ended, on the clock of the caller's choice.
    pub at: Duration,
    /// How it ended. Pass the outcome of the timeline, where a false refusal counts as alive.
    pub outcome: Outcome,
    /// Its most telling verdict.
    pub verdict: Verdict,
    /// The proof of that.
    pub proof: Proof,
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// The state before.
    pub from: Status,
    /// Since when it had that state; `None`: from the start.
    pub from_since: Option<Duration>,
    /// The state now.
    pub to: Status,
    /// So many results in a row made the change.
    pub results: u32,
    /// The first of these results: when the target began to behave otherwise.
    pub first: Duration,
    /// The last of these results, with the verdict and its proof.
    pub last: ProbeResult,
}

/// The state of one target, and what may change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    status: Status,
    since: Option<Duration>,
    streak: Option<Streak>,
}

/// Results in a row that speak for another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Streak {
    to: Status,
    results: u32,
    first: Duration,
}

/// The state that a result speaks for.
const fn speaks_for(outcome: Outcome, expect: Expect) -> Status {
    match (outcome, expect) {
        (Outcome::LocalError, _) => Status::Unknown,
        (Outcome::Alive, Expect::Open) | (Outcome::Refused, Expect::Closed) => Status::Up,
        (Outcome::Refused | Outcome::TimedOut | Outcome::Unreachable, Expect::Open)
        | (Outcome::Alive | Outcome::TimedOut | Outcome::Unreachable, Expect::Closed) => {
            Status::Down
        }
    }
}

impl Health {
    /// The state.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Since when the target has this state; `None`: from the start.
    #[must_use]
    pub const fn since(&self) -> Option<Duration> {
        self.since
    }

    /// Whether the last results differ from the state. A target whose state is unknown for want of results is
    /// changing, too.
    #[must_use]
    pub const fn is_changing(&self) -> bool {
        self.streak.is_some()
    }

    /// The time from the start of its last probe to that of the next.
    #[must_use]
    pub const fn interval(&self, policy: &Policy) -> Duration {
        if self.is_changing() { policy.fast_interval } else { policy.interval }
    }

    /// Takes the result of a probe. Returns the change of state that it makes.
    ///
    /// The policy may differ from that of the results before, after a reload.
    pub fn observe(&mut self, result: ProbeResult, policy: &Policy) -> Option<StateChange> {
        let to = speaks_for(result.outcome, policy.expect);
        if to == self.status {
            self.streak = None;
            return None;
        }
        let going_on = self.streak.filter(|streak| streak.to == to);
        let before = going_on.unwrap_or(Streak { to, results: 0, first: result.at });
        let streak = Streak { results: before.results.saturating_add(1), ..before };
        let needed = match to {
            Status::Up => policy.rise,
            Status::Down | Status::Unknown => policy.fall,
        };
        if streak.results < needed {
            self.streak = Some(streak);
            return None;
        }
        let change = StateChange {
            from: self.status,
            from_since: self.since,
            to,
            results: streak.results,
            first: streak.first,
            last: result,
        };
        *self = Self { status: to, since: Some(result.at), streak: None };
        Some(change)
    }
}

impl fmt::Display for StateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} -> {} after {} {}: {}, {}",
            self.from,
            self.to,
            self.results,
            if self.results == 1 { "result" } else { "results" },
            self.last.verdict.name(),
            self.last.proof.name()
        )
    }
}

#[cfg(test)]
mod tests;
