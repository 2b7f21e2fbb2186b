//! A share in percent, and a number of bytes.

use std::{fmt, str::FromStr};

/// A share from 0% to 100%, exact to a thousandth of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Share(u32);

/// The text is not such a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a share from 0% to 100%, e.g. 1% or 0.1%")]
pub struct ShareError;

/// 100 %.
const WHOLE: f64 = 100_000.0;

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// As a fraction from 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / WHOLE
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let number = text.strip_suffix('%').ok_or(ShareError)?;
        let is_number = number.starts_with(|c: char| c.is_ascii_digit());
        let percent: f64 = number.parse().ok().filter(|_| is_number).ok_or(ShareError)?;
        if !(0.0..=100.0).contains(&percent) {
            return Err(ShareError);
        }
        #[expect(clippy::cast_possible_truncation, reason = "at most 100,000")]
        #[expect(clippy::cast_sign_loss, reason = "at least 0")]
        Ok(Self((percent / 100.0 * WHOLE).round() as u32))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / (WHOLE / 100.0))
    }
}

/// A number of bytes: `64MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSize(u64);

/// The text is not such a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a size from 1MiB to 1024GiB, e.g. 256MiB")]
pub struct ByteSizeError;

const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl ByteSize {
    /// So many MiB.
    #[must_use]
    pub const fn mebibytes(number: u32) -> Self {
        Self((number as u64) << 20)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let parsed = UNITS.iter().find_map(|(unit, bytes)| {
            let number = text.strip_suffix(unit)?.trim_end();
            let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
            number.parse::<u64>().ok().filter(|_| is_number)?.checked_mul(*bytes)
        });
        parsed.filter(|bytes| (1 << 20..=1 << 40).contains(bytes)).map(Self).ok_or(ByteSizeError)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS.iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes));
        match whole {
            Some((unit, bytes)) => write!(f, "{}{unit}", self.0 / bytes),
            None => write!(f, "{}B", self.0),
        }
    }
}
