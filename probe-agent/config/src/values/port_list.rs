//! Ports to probe: `80,443,8000-8003`.

use std::{collections::BTreeSet, fmt, str::FromStr};

use super::port_range::{PortRange, PortRangeError};

/// More ports of one host are a port scan.
const MOST: usize = 1_024;

/// Ports, in order and without duplicates; at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortList(Vec<u16>);

/// Why a text is not a list of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortListError {
    /// A part of it is no port and no range.
    #[error(transparent)]
    Range(#[from] PortRangeError),
    /// Too many.
    #[error("more than {MOST} ports; write fewer")]
    TooMany,
}

impl PortList {
    /// The ports.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.0
    }
}

impl FromStr for PortList {
    type Err = PortListError;

    fn from_str(text: &str) -> Result<Self, PortListError> {
        let mut ports = BTreeSet::new();
        for part in text.split(',') {
            ports.extend(part.trim().parse::<PortRange>()?.ports());
            if ports.len() > MOST {
                return Err(PortListError::TooMany);
            }
        }
        Ok(Self(ports.into_iter().collect()))
    }
}

impl fmt::Display for PortList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.iter().copied().peekable();
        let mut separator = "";
        while let Some(first) = rest.next() {
            let mut last = first;
            while let Some(next) = rest.next_if(|next| u32::from(*next) == u32::from(last) + 1) {
                last = next;
            }
            write!(f, "{separator}{first}")?;
            if last != first {
                write!(f, "-{last}")?;
            }
            separator = ",";
        }
        Ok(())
    }
}
