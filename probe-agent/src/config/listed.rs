//! The file of targets: one a line, with what is special to it.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use super::{
    duration::{TimeSpan, TimeSpanError},
    error::ConfigError,
};
use crate::words::in_words;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTarget {
    /// `HOST:PORT`, as it was written.
    pub name: String,
    /// Its own interval.
    pub interval: Option<Duration>,
}

/// What is wrong behind the target in a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionProblem {
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
pub(super) fn read(path: &Path) -> Result<Vec<ListedTarget>, ConfigError> {
    let text = if path == Path::new("-") {
        bounded(io::stdin())
    } else {
        fs::File::open(path).and_then(bounded)
    }
    .map_err(|error| ConfigError::TargetsFile { path: path.to_owned(), source: in_words(error) })?;
    let targets = listed_targets(&text)?;
    if targets.is_empty() {
        return Err(ConfigError::EmptyTargetsFile { path: path.to_owned() });
    }
    Ok(targets)
}

/// Reads all of a text that ends somewhere.
fn bounded(from: impl io::Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than 64 MiB"));
    }
    Ok(text)
}

/// The targets in a text: one a line, `#` starts a comment.
pub(super) fn listed_targets(text: &str) -> Result<Vec<ListedTarget>, ConfigError> {
    text.lines()
        .map(|line| line.split_once('#').map_or(line, |(before, _)| before).trim())
        .filter(|line| !line.is_empty())
        .map(|line| {
            parse(line).map_err(|problem| ConfigError::ListedTarget {
                name: line.split_whitespace().next().unwrap_or(line).to_owned(),
                problem,
            })
        })
        .collect()
}

fn parse(line: &str) -> Result<ListedTarget, OptionProblem> {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default().to_owned();
    let mut interval = None;
    for word in words {
        let Some(text) = word.strip_prefix("interval=") else {
            return Err(OptionProblem::Unknown(word.to_owned()));
        };
        let span: TimeSpan = text
            .parse()
            .map_err(|problem| OptionProblem::Interval { text: text.to_owned(), problem })?;
        if interval.replace(span.0).is_some() {
            return Err(OptionProblem::Twice);
        }
    }
    Ok(ListedTarget { name, interval })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ListedTarget, listed_targets};

    #[test]
    fn a_line_is_a_target_and_its_interval() {
        let text = "# all\n\n a:1 \nb:2 # the second\n#c:3\nd:4\tinterval=10s\ne:5 interval=0 # x";
        let listed = listed_targets(text).unwrap();
        let target = |name: &str, seconds: Option<u64>| ListedTarget {
            name: name.to_owned(),
            interval: seconds.map(Duration::from_secs),
        };
        let expected = [
            target("a:1", None),
            target("b:2", None),
            target("d:4", Some(10)),
            target("e:5", Some(0)),
        ];
        assert_eq!(listed, expected);
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (text, expected) in [
            (
                "a:1 b:2",
                "target \"a:1\": \"b:2\" is no option; write e.g. interval=10s behind the target",
            ),
            ("a:1 interval=5", "target \"a:1\": interval=5: no unit: write 5s or 5ms"),
            ("a:1 interval=", "target \"a:1\": interval=: no duration: write e.g. 500ms, 2s, 1m"),
            ("a:1 interval=1s interval=2s", "target \"a:1\": two intervals; write one"),
            (
                "a:1 Interval=1s",
                "target \"a:1\": \"Interval=1s\" is no option; write e.g. interval=10s behind the target",
            ),
        ] {
            let seen = listed_targets(text).map_err(|error| error.to_string());
            assert_eq!(seen, Err(expected.to_owned()), "{text}");
        }
    }
}
