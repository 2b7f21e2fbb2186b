//! A setting and its source, so that an error can name the flag or variable to correct.

use std::fmt;

use crate::redact;

/// A value with the name of its flag or variable. It may be a secret, so it is never shown as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting {
    /// E.g. `--otlp-endpoint` or `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub name: String,
    /// The value as given.
    pub value: String,
    /// Its source.
    pub(super) source: Source,
}

impl Setting {
    /// The value in quotes, without credentials and query.
    pub(super) fn shown(&self) -> String {
        format!("{:?}", redact::url(&self.value))
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.shown())
    }
}

/// Where a setting came from, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The command line.
    Flag,
    /// `OTEL_EXPORTER_OTLP_TRACES_*`
    Signal,
    /// `OTEL_EXPORTER_OTLP_*`, or any other variable.
    Generic,
}
