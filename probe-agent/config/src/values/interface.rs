//! The name of a network interface, as the kernel accepts it.

use std::{fmt, str::FromStr};

/// A network interface to send through (`SO_BINDTODEVICE`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceName(String);

/// The text is not the name of a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an interface name; use 1 to 15 characters without '/', ':' and spaces")]
pub struct InterfaceError;

impl InterfaceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InterfaceName {
    type Err = InterfaceError;

    fn from_str(name: &str) -> Result<Self, InterfaceError> {
        // As dev_valid_name() of the kernel: IFNAMSIZ is 16, and one byte ends the string.
        let characters = name.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '/' | ':'));
        if (1..16).contains(&name.len()) && characters && name != "." && name != ".." {
            Ok(Self(name.to_owned()))
        } else {
            Err(InterfaceError)
        }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::InterfaceName;

    #[test]
    fn names() {
        for (text, is_valid) in [
            ("eth0", true),
            ("a", true),
            ("exactly15chars-", true),
            ("exactly16chars--", false),
            ("", false),
            (".", false),
            ("..", false),
            ("eth0:1", false),
            ("a/b", false),
            ("a b", false),
            ("\u{fc}", false),
        ] {
            assert_eq!(text.parse::<InterfaceName>().is_ok(), is_valid, "{text}");
        }
    }
}
