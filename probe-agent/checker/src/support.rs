//! Whether the kernel helps, and if not, why.

use std::fmt;

/// Whether something that needs the kernel's help is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It is.
    On,
    /// It was not wanted.
    Off,
    /// It is not to be had: what is missing, and the remedy.
    Unavailable(String),
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::On => f.write_str("on"),
            Self::Off => f.write_str("off"),
            Self::Unavailable(reason) => write!(f, "unavailable: {reason}"),
        }
    }
}
