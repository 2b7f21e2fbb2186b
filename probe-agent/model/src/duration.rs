//! Durations as a person reads them.

use std::{fmt, time::Duration};

/// Nanoseconds, written with three significant digits or so: `70 us`, `1.003 s`.
#[derive(Clone, Copy, Debug)]
pub struct Human(pub u64);

impl fmt::Display for Human {
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0 as f64;
        match self.0 {
            0..1_000 => write!(f, "{} ns", self.0),
            1_000..1_000_000 => write!(f, "{:.0} us", ns / 1e3),
            1_000_000..10_000_000 => write!(f, "{:.2} ms", ns / 1e6),
            10_000_000..1_000_000_000 => write!(f, "{:.0} ms", ns / 1e6),
            _ => write!(f, "{:.3} s", ns / 1e9),
        }
    }
}

/// Whole nanoseconds; more than 584 years are as good as none.
#[must_use]
pub fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Human;

    #[test]
    fn the_unit_fits_the_size() {
        let texts: Vec<String> = [0, 999, 70_400, 8_123_456, 203_000_000, 1_003_106_000]
            .map(|n| Human(n).to_string())
            .into();
        assert_eq!(texts, ["0 ns", "999 ns", "70 us", "8.12 ms", "203 ms", "1.003 s"]);
    }
}
