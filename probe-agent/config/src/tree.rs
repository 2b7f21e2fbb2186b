//! What a file says, whatever its format: a tree in which everything has its place.

mod bytes;
mod json;
mod limits;
mod node;
mod toml;
mod yaml;

use std::sync::Arc;

pub(crate) use self::node::{Entry, Node, Scalar, Value};
use crate::{
    position::Position,
    problem::{Problem, Problems},
};

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
    /// TOML 1.1.
    Toml,
}

impl Format {
    /// By the end of a file's name: `.toml` is TOML, `.json` is JSON, everything else YAML.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        if end.eq_ignore_ascii_case("toml") {
            Self::Toml
        } else if end.eq_ignore_ascii_case("json") {
            Self::Json
        } else {
            Self::Yaml
        }
    }
}

/// Something that is wrong with the text itself.
struct Fault {
    position: Position,
    key: String,
    text: String,
}

impl Fault {
    fn new(position: Position, text: impl Into<String>) -> Self {
        Self { position, key: String::new(), text: text.into() }
    }
}

/// Parses a file. There may be a tree beside problems: a key that is given twice, for example.
pub(crate) fn parse(name: &Arc<str>, format: Format, bytes: &[u8]) -> (Option<Node>, Problems) {
    let longest_line = match format {
        Format::Yaml | Format::Toml => limits::LONGEST_LINE,
        Format::Json => usize::MAX,
    };
    let (tree, faults) = match bytes::text(bytes, longest_line) {
        Err(fault) => (None, vec![fault]),
        Ok(text) => match format {
            Format::Yaml => yaml::parse(text),
            Format::Json => json::parse(text),
            Format::Toml => toml::parse(text),
        },
    };
    let mut problems = Problems::default();
    for Fault { position, key, text } in faults {
        problems.push(Problem { source: Arc::clone(name), position: Some(position), key, text });
    }
    (tree, problems)
}

#[cfg(test)]
mod tests;
