//! Durations as the kernel's clock counts them.

use std::time::Duration;

/// Whole nanoseconds; saturates at 584 years.
#[must_use]
pub fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
