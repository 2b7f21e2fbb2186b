//! Timeouts: `10s` on the command line, milliseconds in the environment.

use std::time::Duration;

use super::{
    error::ConfigError,
    setting::{Setting, Source},
};

/// Longer ones are typing errors, and would overflow where they are added to a time.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The timeout that a setting stands for; never zero and at most a day.
pub(super) fn timeout(setting: &Setting) -> Result<Duration, ConfigError> {
    let (parsed, example) = match setting.source {
        Source::Flag => (with_unit(&setting.value), "a number and its unit, e.g. 10s or 500ms"),
        Source::Signal | Source::Generic => {
            let ms = setting.value.parse().ok().map(Duration::from_millis);
            (ms, "milliseconds above 0, e.g. 10000")
        }
    };
    parsed
        .filter(|d| !d.is_zero() && *d <= LONGEST)
        .ok_or_else(|| ConfigError::Timeout { setting: setting.clone(), example })
}

fn with_unit(value: &str) -> Option<Duration> {
    let unit_at = value.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = value.split_at(unit_at);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}
