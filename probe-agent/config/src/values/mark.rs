//! `--mark`: a packet mark, decimal or hexadecimal.

use std::{fmt, str::FromStr};

/// The mark of the packets (`SO_MARK`), for policy routing and firewalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(pub u32);

/// The text is not a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a 32-bit number: 42 or 0x2a")]
pub struct MarkError;

impl FromStr for Mark {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, MarkError> {
        let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => (hex, 16),
            None => (text, 10),
        };
        if digits.starts_with('+') {
            return Err(MarkError);
        }
        u32::from_str_radix(digits, radix).map(Self).map_err(|_| MarkError)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn marks() {
        for (text, mark) in [
            ("42", Some(42)),
            ("0x2a", Some(42)),
            ("0xFFFFFFFF", Some(u32::MAX)),
            ("4294967296", None),
            ("0x", None),
            ("+1", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Mark>().ok().map(|m| m.0), mark, "{text}");
        }
    }
}
