//! The file of targets: one a line, with what is special to it.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use super::{
    error::ConfigError,
    target::{TargetProblem, TargetSpec},
};
use model::errno::in_words;
use model::time_span::{TimeSpan, TimeSpanError};

/// What is wrong with a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineProblem {
    /// Its bytes are no text.
    #[error("not UTF-8; save the file as UTF-8")]
    Encoding,
    /// Its target is none.
    #[error("target {name:?}: {problem}")]
    Target {
        /// As it was written.
        name: String,
        /// What is wrong, and what to write.
        problem: TargetProblem,
    },
    /// What stands behind the target is not known.
    #[error("target {name:?}: {problem}")]
    Option {
        /// The target as it was written.
        name: String,
        /// What is wrong, and what to write.
        problem: OptionProblem,
    },
}

/// What is wrong behind the target in a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OptionProblem {
    /// Something else.
    #[error("{0:?} is no option; write e.g. interval=10s behind the target")]
    Unknown(String),
    /// The same twice.
    #[error("two intervals; write one")]
    Twice,
    /// No duration.
    #[error("interval={text}: {problem}")]
    Interval {
        /// What stands there.
        text: String,
        /// Why it is none.
        problem: TimeSpanError,
    },
}

/// No list of targets is longer, in bytes; a device or a pipe may never end.
const LONGEST: u64 = 64 << 20;

/// Reads the targets of a file; `-` is stdin.
///
/// # Errors
/// It cannot be read, has no target in it, or a line says something that is not known.
pub(super) fn read(path: &Path) -> Result<Vec<TargetSpec>, ConfigError> {
    let bytes = if path == Path::new("-") {
        bounded(io::stdin())
    } else {
        fs::File::open(path).and_then(bounded)
    }
    .map_err(|error| ConfigError::TargetsFile { path: path.to_owned(), source: in_words(error) })?;
    let targets = listed_targets(&bytes).map_err(|(line, problem)| ConfigError::TargetsLine {
        path: path.to_owned(),
        line,
        problem,
    })?;
    if targets.is_empty() {
        return Err(ConfigError::EmptyTargetsFile { path: path.to_owned() });
    }
    Ok(targets)
}

/// Reads all of a file that ends somewhere.
fn bounded(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than 64 MiB"));
    }
    Ok(bytes)
}

/// Some editors begin a file with it (U+FEFF in UTF-8).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The targets in a text: one a line, `#` starts a comment. What is wrong comes with the number of
/// its line, from 1.
pub(super) fn listed_targets(bytes: &[u8]) -> Result<Vec<TargetSpec>, (usize, LineProblem)> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        (before.iter().filter(|byte| **byte == b'\n').count() + 1, LineProblem::Encoding)
    })?;
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.split('#').next().unwrap_or(line).trim()))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| parse(line).map_err(|problem| (number, problem)))
        .collect()
}

fn parse(line: &str) -> Result<TargetSpec, LineProblem> {
    let (name, options) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let spec: TargetSpec =
        name.parse().map_err(|problem| LineProblem::Target { name: name.to_owned(), problem })?;
    let interval = interval(options)
        .map_err(|problem| LineProblem::Option { name: name.to_owned(), problem })?;
    Ok(TargetSpec { interval: interval.map(|span| span.0), ..spec })
}

fn interval(options: &str) -> Result<Option<TimeSpan>, OptionProblem> {
    let mut interval = None;
    for word in options.split_whitespace() {
        let Some(text) = word.strip_prefix("interval=") else {
            return Err(OptionProblem::Unknown(word.to_owned()));
        };
        let span: TimeSpan = text
            .parse()
            .map_err(|problem| OptionProblem::Interval { text: text.to_owned(), problem })?;
        if interval.replace(span).is_some() {
            return Err(OptionProblem::Twice);
        }
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::listed_targets;

    #[test]
    fn a_line_is_a_target_and_its_interval() {
        let text = "# all\n\n a:1 \nb:2 # the second\n#c:3\nd:4\tinterval=10s\ne:5 interval=0 # x";
        let expected = [("a:1", None), ("b:2", None), ("d:4", Some(10)), ("e:5", Some(0))]
            .map(|(name, seconds)| (name.to_owned(), seconds.map(Duration::from_secs)));
        // As an editor on another system saves it.
        let foreign = format!("\u{feff}{}\r\n", text.replace('\n', "\r\n"));
        for text in [text, &foreign] {
            let listed = listed_targets(text.as_bytes()).unwrap();
            let listed: Vec<_> = listed.into_iter().map(|t| (t.name, t.interval)).collect();
            assert_eq!(listed, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, expected) in [
            (
                "a:1 b:2",
                1,
                "target \"a:1\": \"b:2\" is no option; write e.g. interval=10s behind the target",
            ),
            ("b:2\na:1 interval=5", 2, "target \"a:1\": interval=5: no unit: write 5s or 5ms"),
            (
                "a:1 interval=",
                1,
                "target \"a:1\": interval=: not a duration: write e.g. 500ms, 2s, 1m",
            ),
            ("#\r\n\r\na:1 interval=1s interval=2s", 3, "target \"a:1\": two intervals; write one"),
            (
                "a:1 Interval=1s",
                1,
                "target \"a:1\": \"Interval=1s\" is no option; write e.g. interval=10s behind the target",
            ),
            ("\u{feff}a:1\nb", 2, "target \"b\": no port; write HOST:PORT, e.g. b:443"),
        ] {
            let seen =
                listed_targets(text.as_bytes()).map_err(|(line, why)| (line, why.to_string()));
            assert_eq!(seen, Err((line, expected.to_owned())), "{text}");
        }
        let seen =
            listed_targets(b"a:1\nb:2\n\xff:3").map_err(|(line, why)| (line, why.to_string()));
        assert_eq!(seen, Err((3, "not UTF-8; save the file as UTF-8".to_owned())));
    }
}
