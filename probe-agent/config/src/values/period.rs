//! A length of time in a setting.

use std::{fmt, str::FromStr, time::Duration};

use model::time_span::{TimeSpan, TimeSpanError};

/// A length of time of at least `SHORTEST` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period<const SHORTEST: u64>(Duration);

/// The time between two probes, or until one times out. No network answers in less than about 10 us, and timers
/// are not much more precise than 1 ms.
pub type Interval = Period<1>;

/// A length of time that may be zero.
pub type MaybeZero = Period<0>;

/// How often a list is read again.
pub type Refresh = Period<1000>;

/// Why a text is not such a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// Not a length of time.
    #[error(transparent)]
    NoTime(#[from] TimeSpanError),
    /// Less than the shortest.
    #[error("too short; the minimum is {0}")]
    TooShort(TimeSpan),
}

impl<const SHORTEST: u64> Period<SHORTEST> {
    /// So many milliseconds, but at least the shortest.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(if millis < SHORTEST { SHORTEST } else { millis }))
    }

    /// The length of time.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl<const SHORTEST: u64> FromStr for Period<SHORTEST> {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let TimeSpan(length) = text.parse()?;
        let shortest = Duration::from_millis(SHORTEST);
        if length < shortest {
            return Err(PeriodError::TooShort(TimeSpan(shortest)));
        }
        Ok(Self(length))
    }
}

impl<const SHORTEST: u64> fmt::Display for Period<SHORTEST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        TimeSpan(self.0).fmt(f)
    }
}
