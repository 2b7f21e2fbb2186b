//! What the agent tells on stderr, and how it words an error.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

/// Tells something about the run, in one line.
pub(crate) fn say(line: impl Display) {
    write_line("probe-agent", &line.to_string());
}

/// Tells why the command did not do what it was to do, in one line.
pub(crate) fn say_error(line: impl Display) {
    write_line("error", &line.to_string());
}

/// Nobody may read stderr any more: that ends no run, as `eprintln!` would.
fn write_line(who: &str, line: &str) {
    let mut stderr = io::stderr();
    // The progress line, if there is one, is drawn again below.
    let clear = if stderr.is_terminal() { "\r\x1b[K" } else { "" };
    let _ = stderr.write_all(format!("{clear}{who}: {}\n", one_line(line)).as_bytes());
}

/// A path, a name or a foreign host's words may hold what breaks a line or drives a terminal.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(one_line("/tmp/a\nb\u{1b}[2J \u{fc}"), "/tmp/a\\nb\\u{1b}[2J \u{fc}");
    }
}
