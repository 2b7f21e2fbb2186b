//! When the probes of a run start: intervals, spread, jitter and rates.

mod limit;

use std::{num::NonZeroU32, time::Duration};

pub(super) use self::limit::Busy;
pub use self::limit::Limits;
use model::{duration::nanos, target::TargetId};

/// The first probes of all targets have started after this, where that is no more than
/// [`FIRST_PER_SECOND`] of them in a second.
const SPREAD: Duration = Duration::from_secs(10);

/// So many first probes in a second are no burst for anybody.
const FIRST_PER_SECOND: u32 = 1_000;

/// By how much the waits between the probes of a target differ from its interval, either way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Jitter {
    /// By a share of the interval, 0 to 1.
    Share(f64),
    /// By a length of time, no longer than the interval.
    Time(Duration),
}

impl Jitter {
    /// The most by which a wait of `interval` nanoseconds becomes longer or shorter.
    pub(super) fn most(self, interval: u64) -> u64 {
        match self {
            #[expect(clippy::cast_possible_truncation, reason = "a share of an u64 is one")]
            #[expect(clippy::cast_sign_loss, reason = "a share is not negative")]
            #[expect(clippy::cast_precision_loss, reason = "it is a chance value")]
            Self::Share(share) => (interval as f64 * share) as u64,
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

/// When the probes of a run start. The default: all targets at once, then each at
/// [`Settings::interval`](super::settings::Settings::interval), as fast as that says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pacing {
    /// The intervals of targets that have one of their own, by [`TargetId`]; a target without an
    /// entry, or with `None`, has that of the settings.
    pub intervals: Box<[Option<Duration>]>,
    /// By how much the waits differ from the interval.
    pub jitter: Jitter,
    /// Whether the first probes of the targets are spread over their interval.
    pub spread: bool,
    /// Probes per second, over all targets.
    pub rate: Option<NonZeroU32>,
    /// Probes per second to one destination address, whatever the port.
    pub rate_per_host: Option<NonZeroU32>,
}

impl Pacing {
    /// The interval of a target, where that of the settings is `default`.
    #[must_use]
    pub fn interval(&self, target: TargetId, default: Duration) -> Duration {
        self.intervals.get(target.0 as usize).copied().flatten().unwrap_or(default)
    }

    /// How long after the start of the run the first probe of one of `targets` targets starts.
    ///
    /// Nobody waits for first results longer than 10 s unless there are so many targets that
    /// they would be a burst. The places are those of the golden ratio's multiples: any targets in
    /// a row are spread evenly, whatever they share (an interval, a worker), and the first one
    /// starts at once.
    #[must_use]
    pub fn first(&self, target: TargetId, targets: u32, interval: Duration) -> Duration {
        if !self.spread || targets < 2 {
            return Duration::ZERO;
        }
        let window = interval.min(SPREAD.max(Duration::from_secs(1) * targets / FIRST_PER_SECOND));
        // 2^32 divided by the golden ratio.
        let place = target.0.wrapping_mul(0x9E37_79B9);
        let nanos = (u128::from(place) * window.as_nanos()) >> 32;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests;
