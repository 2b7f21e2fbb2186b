//! The address of a target in a list: `HOST:PORT`, or `HOST` where the ports are set elsewhere.

use std::{fmt, str::FromStr};

use crate::target_spec::{Host, TargetProblem, TargetSpec};

/// A host, with or without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetAddress {
    text: String,
    host: Host,
    port: Option<u16>,
}

impl TargetAddress {
    /// As written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The host.
    #[must_use]
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port, if one is written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }
}

impl FromStr for TargetAddress {
    type Err = TargetProblem;

    fn from_str(text: &str) -> Result<Self, TargetProblem> {
        let with_text = |host, port| Self { text: text.to_owned(), host, port };
        match text.parse::<TargetSpec>() {
            Ok(spec) => Ok(with_text(spec.host, Some(spec.port))),
            // Any port will do: only the host is of interest.
            Err(TargetProblem::NoPort(_)) if !text.ends_with(':') => {
                let spec: TargetSpec = format!("{text}:1").parse()?;
                Ok(with_text(spec.host, None))
            }
            Err(problem) => Err(problem),
        }
    }
}

impl fmt::Display for TargetAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
