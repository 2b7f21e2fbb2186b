//! The shortest time that a timeout or an interval may have.

use std::time::Duration;

use model::time_span::TimeSpan;

/// No network answers in less than about 10 us, and timers are not much more precise than this.
pub const SHORTEST_TIME: TimeSpan = TimeSpan(Duration::from_millis(1));
