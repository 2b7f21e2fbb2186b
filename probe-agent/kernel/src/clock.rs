//! From the kernel's clock to the wall clock.
//!
//! Events carry `CLOCK_MONOTONIC`, spans carry Unix time. The difference is sampled once, at the start
//! of a run. NTP slews both clocks alike, so the difference stays right, except after a step of the wall
//! clock and after a suspend, which `CLOCK_MONOTONIC` does not count. The agent follows neither: all
//! spans of a run share one time line, and the time between two of them is always the kernel's measure.

use nix::time::{ClockId, clock_gettime};

/// How often the clocks are read; the shortest read is kept. An undisturbed one takes tens of
/// nanoseconds, so a few suffice to get one.
const SAMPLES: usize = 16;

/// What to add to a time of `CLOCK_MONOTONIC` to get Unix time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// `CLOCK_REALTIME` - `CLOCK_MONOTONIC`, in nanoseconds.
    pub realtime_minus_monotonic_ns: i64,
}

impl Clock {
    /// Reads both clocks.
    ///
    /// `CLOCK_MONOTONIC` is read before and after `CLOCK_REALTIME`. Of several such triples the
    /// shortest counts; its error is at most half of its length.
    ///
    /// # Errors
    /// The `errno` of `clock_gettime()`; Linux has none for these clocks (`clock_gettime(2)`).
    pub fn sample() -> nix::Result<Self> {
        let mut best: Option<(i64, i64)> = None;
        for _ in 0..SAMPLES {
            let before = now(ClockId::CLOCK_MONOTONIC)?;
            let realtime = now(ClockId::CLOCK_REALTIME)?;
            let way = now(ClockId::CLOCK_MONOTONIC)? - before;
            if best.is_none_or(|(shortest, _)| way < shortest) {
                best = Some((way, realtime - (before + way / 2)));
            }
        }
        Ok(Self { realtime_minus_monotonic_ns: best.map_or(0, |(_, difference)| difference) })
    }

    /// Nanoseconds since the Unix epoch at `monotonic`, nanoseconds of `CLOCK_MONOTONIC`.
    #[must_use]
    pub fn unix_ns(&self, monotonic: u64) -> u64 {
        monotonic.saturating_add_signed(self.realtime_minus_monotonic_ns)
    }
}

/// Nanoseconds of `clock`; 63 bits last until the year 2262.
fn now(clock: ClockId) -> nix::Result<i64> {
    clock_gettime(clock).map(|t| t.tv_sec() * 1_000_000_000 + t.tv_nsec())
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::{Clock, now};

    #[test]
    fn a_kernel_time_becomes_the_unix_time_of_the_same_moment() {
        let clock = Clock::sample().unwrap();
        let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let monotonic = now(nix::time::ClockId::CLOCK_MONOTONIC).unwrap();
        let after = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let unix = u128::from(clock.unix_ns(u64::try_from(monotonic).unwrap()));
        // 1 ms is far more than an undisturbed triple takes and far less than any mistake.
        assert!(unix + 1_000_000 > before && unix < after + 1_000_000, "{before} {unix} {after}");
    }

    #[test]
    fn the_difference_is_added_to_the_nanosecond() {
        let clock = Clock { realtime_minus_monotonic_ns: 1_700_000_000_000_000_001 };
        assert_eq!(clock.unix_ns(41), 1_700_000_000_000_000_042);
        let before_the_epoch = Clock { realtime_minus_monotonic_ns: -5 };
        assert_eq!(before_the_epoch.unix_ns(3), 0);
    }
}
