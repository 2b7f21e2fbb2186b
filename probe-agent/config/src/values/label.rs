//! Names and values of labels, as Prometheus has them.

use std::{fmt, str::FromStr, sync::Arc};

/// Labels are repeated in each series and span of a target.
const LONGEST: usize = 1_024;

/// The name of a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelName(Arc<str>);

/// Why a text is not the name of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelNameError {
    /// A character that Prometheus does not allow, or too many.
    #[error("not a label name; use letters, digits and '_', not a digit first, at most 128")]
    Characters,
    /// It begins with two underscores.
    #[error("names that begin with '__' are reserved; choose another")]
    Reserved,
}

impl LabelName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabelName {
    type Err = LabelNameError;

    fn from_str(text: &str) -> Result<Self, LabelNameError> {
        let allowed = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !allowed
            || !(1..=128).contains(&text.len())
            || text.starts_with(|c: char| c.is_ascii_digit())
        {
            return Err(LabelNameError::Characters);
        }
        if text.starts_with("__") {
            return Err(LabelNameError::Reserved);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of a label, or the name of a target or group.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelValue(Arc<str>);

/// The text is too long, or not for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write 1 to {LONGEST} bytes without control characters")]
pub struct LabelValueError;

impl LabelValue {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for LabelValue {
    type Err = LabelValueError;

    fn from_str(text: &str) -> Result<Self, LabelValueError> {
        let is_short = (1..=LONGEST).contains(&text.len());
        if is_short && !text.contains(char::is_control) {
            Ok(Self(text.into()))
        } else {
            Err(LabelValueError)
        }
    }
}

impl fmt::Display for LabelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
