//! Words for what went wrong, with what came from other hosts made fit to print.

use std::error::Error;

use crate::redact::Secrets;

/// The most characters of another host's text to report.
const EXCERPT: usize = 200;

/// A hint for a receiver that rejects the sender.
pub(super) const HEADER_HINT: &str = "; does it need a header (OTEL_EXPORTER_OTLP_HEADERS)?";

/// Stands in for the message of an answer that was not read to its end.
pub(super) const UNREAD: &str =
    "its answer broke off or is too long, so it is not known whether it rejected some of them";

/// The beginning of a text from another host. Its control characters must not reach the terminal, and the
/// secrets that it may repeat nobody.
pub(super) fn excerpt(text: &str, secrets: &Secrets) -> String {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    secrets.hide(&text).chars().take(EXCERPT).collect()
}

/// An error with its causes, outermost first: in these libraries the last one is the most specific.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Wrappers often repeat what they wrap.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
