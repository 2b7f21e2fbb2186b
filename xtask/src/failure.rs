//! The error type of xtask: a message, a remedy and an exit code.

use std::fmt;

/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;
/// Root is needed and not available.
pub(crate) const NO_PRIVILEGE: u8 = 3;

/// What went wrong, in one line, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    remedy: Option<String>,
    code: u8,
}

/// Every fallible function of xtask returns this.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with exit code 1 and no remedy yet.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), remedy: None, code: 1 }
    }

    /// Adds what to do about it.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Replaces the exit code.
    pub(crate) fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// The exit code that xtask ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n  remedy: {remedy}"),
            None => Ok(()),
        }
    }
}

/// Turns an I/O error into a [`Failure`] that names the operation and its operand.
pub(crate) trait OrFail<T> {
    /// `what` names the operation, such as "write /tmp/x".
    fn or_fail(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T> OrFail<T> for std::io::Result<T> {
    fn or_fail(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(format!("cannot {}: {error}", what())))
    }
}
