//! The health of a target, as the service decided it.

use std::{collections::BTreeMap, time::Duration};

use model::verdict::Verdict;

/// Whether a target takes connections, after the service has applied its thresholds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Health {
    /// Enough probes in a row had the expected outcome.
    Up,
    /// Enough probes in a row had another one.
    Down,
    /// There were not enough probes yet.
    #[default]
    Unknown,
}

impl Health {
    /// All states, in the order in which they are written.
    pub const ALL: [Self; 3] = [Self::Up, Self::Down, Self::Unknown];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// The state of one target, and its changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct HealthRecord {
    pub(crate) state: Health,
    /// Since 1970; `None` before the first change.
    pub(crate) since: Option<Duration>,
    /// How often each state was entered, by the verdict behind it.
    pub(crate) changes: BTreeMap<(Health, Verdict), u64>,
}

impl HealthRecord {
    /// The target is in a state since a time. A change needs a verdict behind it; without one, as after a restart
    /// that restores states, none is counted.
    pub(crate) fn set(&mut self, state: Health, since: Duration, verdict: Option<Verdict>) {
        if state != self.state
            && let Some(verdict) = verdict
        {
            *self.changes.entry((state, verdict)).or_default() += 1;
        }
        (self.state, self.since) = (state, Some(since));
    }
}
