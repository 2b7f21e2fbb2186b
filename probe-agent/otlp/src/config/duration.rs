//! Timeouts: `10s` on the command line, milliseconds in the environment.

use std::time::Duration;

use super::{
    error::ConfigError,
    setting::{Setting, Source},
};
use model::time_span::TimeSpan;

/// The timeout in a setting; never zero and at most a day.
pub(super) fn timeout(setting: &Setting) -> Result<Duration, ConfigError> {
    let (text, example) = match setting.source {
        Source::Flag => (setting.value.clone(), "a number and its unit, e.g. 10s or 500ms"),
        Source::Signal | Source::Generic => {
            (format!("{}ms", setting.value), "milliseconds above 0, e.g. 10000")
        }
    };
    // A variable that is not a number of milliseconds does not parse with `ms` appended.
    text.parse::<TimeSpan>()
        .ok()
        .map(|span| span.0)
        .filter(|d| !d.is_zero())
        .ok_or_else(|| ConfigError::Timeout { setting: setting.clone(), example })
}
