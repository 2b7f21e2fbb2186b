//! Whether something that needs the kernel's help is available, and if not, why.

use std::fmt;

/// Whether something that needs the kernel's help is available.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Support {
    /// It is available and in use.
    On,
    /// It was turned off in the [`Builder`](crate::Builder).
    Off,
    /// It is not available. The text names what is missing and the remedy.
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
