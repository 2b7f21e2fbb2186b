//! Lists like `key=value,key=value`, for headers and resource attributes (the syntax of W3C Baggage without
//! properties: values are percent-encoded).

use percent_encoding::percent_decode_str;

use super::error::ConfigError;

/// The pairs of a list in order; empty entries are skipped.
///
/// # Errors
/// An entry has no `=` or no key, or does not decode to UTF-8.
pub(crate) fn pairs(name: &str, list: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let entries = list.split(',').map(str::trim).enumerate().filter(|(_, e)| !e.is_empty());
    entries
        .map(|(index, entry)| {
            pair(entry).ok_or_else(|| ConfigError::Pair { name: name.to_owned(), entry: index + 1 })
        })
        .collect()
}

fn pair(entry: &str) -> Option<(String, String)> {
    let (key, value) = entry.split_once('=')?;
    let decode = |s: &str| Some(percent_decode_str(s.trim()).decode_utf8().ok()?.into_owned());
    let key = decode(key)?;
    (!key.is_empty()).then_some((key, decode(value)?))
}
