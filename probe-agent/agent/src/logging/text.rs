//! Messages as text: one line each, `probe-agent: MESSAGE`.

use std::fmt::{self, Debug, Write as _};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::FATAL;

/// The format. Messages for users are the text alone; those for developers, and those of libraries,
/// come with level, target and fields.
pub(super) struct Text;

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut text = Fields::default();
        event.record(&mut text);
        let Fields { message, others } = text;
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        if target == FATAL {
            return writeln!(writer, "error: {}", one_line(&message));
        }
        if target.starts_with("probe_agent") && level <= Level::INFO {
            return writeln!(writer, "probe-agent: {}", one_line(&message));
        }
        let level = level.as_str().to_ascii_lowercase();
        writeln!(writer, "probe-agent: {level} {target}: {}", one_line(&(message + &others)))
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    /// All but the message: ` name=value` each.
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // A String takes whatever is written to it.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.others, " {name}={value:?}"),
        };
    }
}

/// Escapes control characters. Paths, names and messages of other hosts may contain what breaks a line
/// or drives a terminal.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

/// Whether a character has no shape of its own, but changes the order or the lines of others.
const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(one_line("a\u{202e}b\u{2028}c"), "a\\u{202e}b\\u{2028}c");
        assert_eq!(one_line("/tmp/a\nb\u{1b}[2J \u{fc}"), "/tmp/a\\nb\\u{1b}[2J \u{fc}");
    }
}
