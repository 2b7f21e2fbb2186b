//! Durations on the command line: `500ms`, `2s`, `1m`.

use std::{fmt, str::FromStr, time::Duration};

/// A length of time between 0 and 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

/// Longer durations are typing errors, and this limit keeps sums of nanoseconds far from overflow.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Unit names and their lengths in nanoseconds, longest first.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeSpanError {
    /// A number without a unit.
    #[error("no unit: write {0}s or {0}ms")]
    NoUnit(String),
    /// An unknown unit.
    #[error("unknown unit '{0}': write e.g. 500ms, 2s, 1m")]
    UnknownUnit(String),
    /// It does not start with a number.
    #[error("not a duration: write e.g. 500ms, 2s, 1m")]
    NoNumber,
    /// More than 24 hours.
    #[error("more than 24h")]
    TooLong,
}

impl FromStr for TimeSpan {
    type Err = TimeSpanError;

    fn from_str(text: &str) -> Result<Self, TimeSpanError> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(TimeSpanError::NoNumber);
        }
        let value: f64 = number.parse().map_err(|_| TimeSpanError::NoNumber)?;
        if unit.is_empty() {
            // 0 needs no unit.
            return if value == 0.0 {
                Ok(Self(Duration::ZERO))
            } else {
                Err(TimeSpanError::NoUnit(number.to_owned()))
            };
        }
        let (_, nanoseconds) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| TimeSpanError::UnknownUnit(unit.to_owned()))?;
        let length = Duration::try_from_secs_f64(value * (*nanoseconds as f64) / 1e9)
            .map_err(|_| TimeSpanError::TooLong)?;
        if length > LONGEST { Err(TimeSpanError::TooLong) } else { Ok(Self(length)) }
    }
}

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_nanos();
        let whole =
            UNITS.iter().find(|(_, ns)| total != 0 && total.is_multiple_of(u128::from(*ns)));
        match whole {
            Some((unit, ns)) => write!(f, "{}{unit}", total / u128::from(*ns)),
            None => f.write_str("0"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::TimeSpan;

    #[test]
    fn durations() {
        for (text, expected) in [
            ("0", Ok(Duration::ZERO)),
            ("0s", Ok(Duration::ZERO)),
            ("500ms", Ok(Duration::from_millis(500))),
            ("2s", Ok(Duration::from_secs(2))),
            ("1.5s", Ok(Duration::from_millis(1500))),
            ("1m", Ok(Duration::from_secs(60))),
            ("24h", Ok(Duration::from_secs(86_400))),
            ("250us", Ok(Duration::from_micros(250))),
            ("5", Err("no unit: write 5s or 5ms")),
            ("1.5", Err("no unit: write 1.5s or 1.5ms")),
            ("5 s", Err("unknown unit ' s': write e.g. 500ms, 2s, 1m")),
            ("5sec", Err("unknown unit 'sec': write e.g. 500ms, 2s, 1m")),
            ("", Err("not a duration: write e.g. 500ms, 2s, 1m")),
            ("s", Err("not a duration: write e.g. 500ms, 2s, 1m")),
            ("-1s", Err("not a duration: write e.g. 500ms, 2s, 1m")),
            ("1.2.3s", Err("not a duration: write e.g. 500ms, 2s, 1m")),
            ("inf", Err("not a duration: write e.g. 500ms, 2s, 1m")),
            ("25h", Err("more than 24h")),
            ("99999999999999999999999999999h", Err("more than 24h")),
        ] {
            let parsed = text.parse::<TimeSpan>().map(|span| span.0).map_err(|e| e.to_string());
            assert_eq!(parsed, expected.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn durations_print_as_they_are_written() {
        for text in ["0", "500ms", "2s", "1500ms", "1m", "90s", "24h", "7ns"] {
            assert_eq!(text.parse::<TimeSpan>().map(|span| span.to_string()), Ok(text.to_owned()));
        }
    }
}
