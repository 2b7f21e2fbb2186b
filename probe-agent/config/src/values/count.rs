//! A whole number in a setting.

use std::{fmt, str::FromStr};

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count<const MIN: u32, const MAX: u32>(u32);

/// The text is not such a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a whole number from {min} to {max}")]
pub struct CountError {
    min: u32,
    max: u32,
}

impl<const MIN: u32, const MAX: u32> Count<MIN, MAX> {
    /// A number, moved into the range.
    #[must_use]
    pub const fn clamped(number: u32) -> Self {
        Self(if number < MIN {
            MIN
        } else if number > MAX {
            MAX
        } else {
            number
        })
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<const MIN: u32, const MAX: u32> FromStr for Count<MIN, MAX> {
    type Err = CountError;

    fn from_str(text: &str) -> Result<Self, CountError> {
        // `u32::from_str` accepts a leading `+`; TOML allows `1_000`.
        let digits = text.replace('_', "");
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().ok().filter(|n| is_number && (MIN..=MAX).contains(n));
        number.map(Self).ok_or(CountError { min: MIN, max: MAX })
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Count<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
