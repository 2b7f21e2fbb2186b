//! Source ports: one port, `40000`, or a range of ports, `40000-40999`.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// The source ports that a run may use: at least one, and never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The ports, in order.
    #[must_use]
    pub fn ports(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }

    /// The number of ports: 1 to 65,535.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::from(self.last) - u32::from(self.first) + 1
    }
}

/// Why a text is not a range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortRangeError {
    /// Not a number, or out of range.
    #[error("write a port from 1 to 65535, or a range: 40000-40999")]
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

impl From<u16> for PortRange {
    /// A single port. 0 stands for 1, which is never a source port in use either.
    fn from(port: u16) -> Self {
        Self { first: port.max(1), last: port.max(1) }
    }
}

fn port(text: &str) -> Result<u16, PortRangeError> {
    // `u16::from_str` accepts a leading `+`.
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

#[cfg(test)]
mod tests {
    use super::PortRange;

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
}
