//! When the probes of a run start: intervals, spread, jitter and rate limits.

mod rate_limit;

use std::{num::NonZeroU32, time::Duration};

pub(crate) use self::rate_limit::{RateLimited, RateLimits};
use model::{duration::nanos, target::TargetId};

/// The first probes of all targets start within this time, unless that would be more than
/// [`MAX_FIRST_PER_SECOND`].
const SPREAD: Duration = Duration::from_secs(10);

/// The most first probes in a second: few enough to be no burst for any network.
const MAX_FIRST_PER_SECOND: u32 = 1_000;

/// By how much the waits between the probes of a target differ from its interval, either way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// By a fraction of the interval, 0 to 1.
    Fraction(f64),
    /// By a length of time, at most the interval.
    Time(Duration),
}

impl Jitter {
    /// The most by which jitter lengthens or shortens a wait of `interval` nanoseconds.
    pub(super) fn max(self, interval: u64) -> u64 {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "a fraction of a u64 is a u64")]
            #[expect(clippy::cast_sign_loss, reason = "a fraction is not negative")]
            #[expect(clippy::cast_precision_loss, reason = "it bounds a random value")]
            Self::Fraction(fraction) => (interval as f64 * fraction) as u64,
            Self::Time(time) => nanos(time),
        }
        .min(interval)
    }
}

impl Default for Jitter {
    fn default() -> Self {
        Self::Time(Duration::ZERO)
    }
}

/// When the probes of a run start. By default all targets start at once, and each is then probed at
/// [`Settings::interval`](super::settings::Settings::interval), without a rate limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pacing {
    /// The intervals of targets that have one of their own, by [`TargetId`]. A target without an entry,
    /// or with `None`, has the interval of the settings.
    pub intervals: Box<[Option<Duration>]>,
    /// By how much the waits differ from the interval.
    pub jitter: Jitter,
    /// Whether the first probes of the targets are spread over their interval.
    pub spread: bool,
    /// The rate limit of the run: probes per second, over all targets.
    pub rate: Option<NonZeroU32>,
    /// The rate limit of each destination address: probes per second, whatever the port.
    pub rate_per_host: Option<NonZeroU32>,
}

impl Pacing {
    /// The interval of a target; `default` is that of the settings.
    #[must_use]
    pub fn interval(&self, target: TargetId, default: Duration) -> Duration {
        self.intervals.get(target.0 as usize).copied().flatten().unwrap_or(default)
    }

    /// How long after the start of the run the first probe of one of `targets` targets starts.
    ///
    /// All first results arrive within 10 s, unless so many targets would be a burst. The delays follow
    /// the multiples of the golden ratio: any targets in a row are spread evenly, whatever they have in
    /// common (an interval, a worker), and the first target starts at once.
    #[must_use]
    pub fn first_delay(&self, target: TargetId, targets: u32, interval: Duration) -> Duration {
        if !self.spread || targets < 2 {
            return Duration::ZERO;
        }
        let window =
            interval.min(SPREAD.max(Duration::from_secs(1) * targets / MAX_FIRST_PER_SECOND));
        // 2^32 divided by the golden ratio.
        let position = target.0.wrapping_mul(0x9E37_79B9);
        let nanos = (u128::from(position) * window.as_nanos()) >> 32;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests;
