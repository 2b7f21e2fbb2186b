//! Source ports and packet marks as they are written on the command line.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// The source ports that a run may use: at least one, and never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The ports, in order.
    #[must_use]
    pub(crate) fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// How many they are: 1 to 65,535.
    #[must_use]
    pub(crate) fn count(self) -> u32 {
        u32::from(self.last) - u32::from(self.first) + 1
    }
}

/// Why a text is no range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PortRangeError {
    /// Not a number, or out of range.
    #[error("write a port from 1 to 65535, or two of them: 40000-40999")]
    NoPort,
    /// The second port is below the first.
    #[error("the range ends before it starts")]
    Backwards,
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, PortRangeError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (port(first)?, port(last)?);
        if first > last { Err(PortRangeError::Backwards) } else { Ok(Self { first, last }) }
    }
}

fn port(text: &str) -> Result<u16, PortRangeError> {
    // `u16::from_str` takes a leading `+`, which no port has.
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|port| digits && *port != 0).ok_or(PortRangeError::NoPort)
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// The mark of the packets (`SO_MARK`), for policy routing and firewalls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(pub u32);

/// Why a text is no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a number of 32 bits: 42 or 0x2a")]
pub(crate) struct MarkError;

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

#[cfg(test)]
mod tests {
    use super::{Mark, PortRange};

    #[test]
    fn port_ranges() {
        for (text, ports) in [
            ("40000", Some((40000, 40000, 1))),
            ("40000-40003", Some((40000, 40003, 4))),
            ("1-65535", Some((1, 65535, 65535))),
            ("0", None),
            ("0-10", None),
            ("+1", None),
            ("70000", None),
            ("40003-40000", None),
            ("40000-", None),
            ("a-b", None),
            ("", None),
        ] {
            let parsed = text.parse::<PortRange>().ok();
            let seen = parsed.map(|r| (*r.ports().start(), *r.ports().end(), r.count()));
            assert_eq!(seen, ports, "{text}");
            assert!(parsed.is_none_or(|range| range.to_string() == text));
        }
    }

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
