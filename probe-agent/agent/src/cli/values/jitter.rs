//! `--jitter`: a share of the interval, `10%`, or a length of time, `200ms`.

use std::{str::FromStr, time::Duration};

use engine::pacing::Jitter;
use model::time_span::{TimeSpan, TimeSpanError};

/// The value of `--jitter`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct JitterArg(pub Jitter);

/// Why a text is not a jitter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JitterError {
    /// A percentage outside 0% to 100%.
    #[error("write a share of the interval from 0% to 100%, or a time: 10%, 200ms")]
    Share,
    /// No percent sign, and not a valid time.
    #[error(transparent)]
    Time(#[from] TimeSpanError),
}

impl FromStr for JitterArg {
    type Err = JitterError;

    fn from_str(text: &str) -> Result<Self, JitterError> {
        let Some(percent) = text.strip_suffix('%') else {
            return Ok(Self(Jitter::Time(text.parse::<TimeSpan>()?.0)));
        };
        let number = percent.starts_with(|c: char| c.is_ascii_digit());
        let share = percent.parse::<f64>().ok().filter(|_| number).map(|n| n / 100.0);
        match share {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(Self(Jitter::Fraction(share))),
            _ => Err(JitterError::Share),
        }
    }
}

impl JitterArg {
    /// The jitter, if it is a time longer than `interval`.
    pub(crate) fn exceeds(self, interval: Duration) -> Option<TimeSpan> {
        match self.0 {
            Jitter::Time(time) if time > interval => Some(TimeSpan(time)),
            Jitter::Time(_) | Jitter::Fraction(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Jitter, JitterArg};

    #[test]
    fn shares_and_times() {
        let share = "write a share of the interval from 0% to 100%, or a time: 10%, 200ms";
        for (text, expected) in [
            ("10%", Ok(Jitter::Fraction(0.1))),
            ("0%", Ok(Jitter::Fraction(0.0))),
            ("100%", Ok(Jitter::Fraction(1.0))),
            ("2.5%", Ok(Jitter::Fraction(0.025))),
            ("0", Ok(Jitter::Time(Duration::ZERO))),
            ("200ms", Ok(Jitter::Time(Duration::from_millis(200)))),
            ("101%", Err(share)),
            ("-1%", Err(share)),
            ("%", Err(share)),
            ("inf%", Err(share)),
            ("10", Err("no unit: write 10s or 10ms")),
            ("x", Err("not a duration: write e.g. 500ms, 2s, 1m")),
        ] {
            let seen = text.parse::<JitterArg>().map(|j| j.0).map_err(|e| e.to_string());
            assert_eq!(seen, expected.map_err(str::to_owned), "{text}");
        }
    }
}
