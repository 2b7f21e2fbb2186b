//! A file of targets: one per line, each with its options.

use std::{
    io,
    path::{Path, PathBuf},
};

use ::config::{
    echo::Echo,
    files,
    target_spec::{TargetProblem, TargetSpec},
};
use model::time_span::{TimeSpan, TimeSpanError};

/// Why a file does not give targets. The path comes first, as in a compiler's message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It cannot be read.
    #[error("{path}: cannot read the targets: {1}", path = files::shown(.0))]
    Read(PathBuf, io::Error),
    /// It is empty, or has only comments.
    #[error("{path}: the file contains no targets", path = files::shown(.0))]
    Empty(PathBuf),
    /// One line is invalid.
    #[error("{path}:{1}: {2}", path = files::shown(.0))]
    Line(PathBuf, usize, LineProblem),
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineProblem {
    /// Bytes that are not text.
    #[error("not UTF-8; save the file as UTF-8")]
    Encoding,
    /// The target, as written, is invalid.
    #[error("target {:?}: {}", Echo(.0), .1)]
    Target(String, TargetProblem),
    /// An option of the target is invalid.
    #[error("target {:?}: {}", Echo(.0), .1)]
    Option(String, OptionProblem),
}

/// What is wrong with an option of a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OptionProblem {
    /// Not `interval=`.
    #[error("unknown option {:?}; write e.g. interval=10s after the target", Echo(.0))]
    Unknown(String),
    /// More than one `interval=`.
    #[error("interval is given twice; write it once")]
    Twice,
    /// The interval is not a duration.
    #[error("interval={}: {}", Echo(.0), .1)]
    Interval(String, TimeSpanError),
}

/// Reads the targets of a file; `-` is stdin.
///
/// # Errors
/// The file cannot be read, contains no targets, or has an invalid line.
pub(crate) fn read(path: &Path) -> Result<Vec<TargetSpec>, FileError> {
    let bytes = files::read(path).map_err(|error| FileError::Read(error.path, error.source))?;
    let targets =
        parse(&bytes).map_err(|(line, problem)| FileError::Line(path.to_owned(), line, problem))?;
    if targets.is_empty() { Err(FileError::Empty(path.to_owned())) } else { Ok(targets) }
}

/// U+FEFF in UTF-8; some editors begin a file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses the targets in a text: one per line, `#` starts a comment. An error comes with its line
/// number, counted from 1.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<TargetSpec>, (usize, LineProblem)> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        (before.iter().filter(|byte| **byte == b'\n').count() + 1, LineProblem::Encoding)
    })?;
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.split('#').next().unwrap_or(line).trim()))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| parse_line(line).map_err(|problem| (number, problem)))
        .collect()
}

fn parse_line(line: &str) -> Result<TargetSpec, LineProblem> {
    let (name, options) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let spec: TargetSpec =
        name.parse().map_err(|problem| LineProblem::Target(name.to_owned(), problem))?;
    let interval =
        interval(options).map_err(|problem| LineProblem::Option(name.to_owned(), problem))?;
    Ok(TargetSpec { interval: interval.map(|span| span.0), ..spec })
}

fn interval(options: &str) -> Result<Option<TimeSpan>, OptionProblem> {
    let mut interval = None;
    for word in options.split_whitespace() {
        let Some(text) = word.strip_prefix("interval=") else {
            return Err(OptionProblem::Unknown(word.to_owned()));
        };
        let span: TimeSpan =
            text.parse().map_err(|problem| OptionProblem::Interval(text.to_owned(), problem))?;
        if interval.replace(span).is_some() {
            return Err(OptionProblem::Twice);
        }
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn a_line_is_a_target_and_its_interval() {
        let text = "# all\n\n a:1 \nb:2 # the second\n#c:3\nd:4\tinterval=10s\ne:5 interval=0 # x";
        let expected = [("a:1", None), ("b:2", None), ("d:4", Some(10)), ("e:5", Some(0))]
            .map(|(name, seconds)| (name.to_owned(), seconds.map(Duration::from_secs)));
        // With a byte order mark and CRLF, as some editors save it.
        let foreign = format!("\u{feff}{}\r\n", text.replace('\n', "\r\n"));
        for text in [text, &foreign] {
            let listed = parse(text.as_bytes()).unwrap();
            let listed: Vec<_> = listed.into_iter().map(|t| (t.name, t.interval)).collect();
            assert_eq!(listed, expected, "{text:?}");
        }
    }

    #[test]
    fn an_error_names_its_line() {
        for (text, line, expected) in [
            (
                "a:1 b:2",
                1,
                "target \"a:1\": unknown option \"b:2\"; write e.g. interval=10s after the target",
            ),
            ("b:2\na:1 interval=5", 2, "target \"a:1\": interval=5: no unit: write 5s or 5ms"),
            (
                "a:1 interval=",
                1,
                "target \"a:1\": interval=: not a duration: write e.g. 500ms, 2s, 1m",
            ),
            (
                "#\r\n\r\na:1 interval=1s interval=2s",
                3,
                "target \"a:1\": interval is given twice; write it once",
            ),
            (
                "a:1 Interval=1s",
                1,
                "target \"a:1\": unknown option \"Interval=1s\"; write e.g. interval=10s after the target",
            ),
            ("\u{feff}a:1\nb", 2, "target \"b\": no port; write HOST:PORT, e.g. b:443"),
        ] {
            let seen = parse(text.as_bytes()).map_err(|(line, why)| (line, why.to_string()));
            assert_eq!(seen, Err((line, expected.to_owned())), "{text}");
        }
        let seen = parse(b"a:1\nb:2\n\xff:3").map_err(|(line, why)| (line, why.to_string()));
        assert_eq!(seen, Err((3, "not UTF-8; save the file as UTF-8".to_owned())));
    }
}
