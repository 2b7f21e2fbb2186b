//! An error of decoding, which finds its place on the way up.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::{
    echo::Echo,
    position::Position,
    tree::{Node, Value},
};

/// What an error concerns, and so what is left out when the rest is read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum EntryRef {
    /// A key, by its place, with its value.
    Key(Position),
    /// An element of a list, by its place.
    Element(Position),
}

impl EntryRef {
    /// The path from the root of the tree, as `targets[3].interval`.
    pub(super) fn path_in(self, root: &Node) -> String {
        let mut path = String::new();
        self.find(root, &mut path);
        path
    }

    /// Extends `path` to the entry, or leaves it as it was.
    fn find(self, node: &Node, path: &mut String) -> bool {
        let before = path.len();
        match &node.value {
            Value::Null | Value::Scalar(_) => {}
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    *path += &format!("[{index}]");
                    if self == Self::Element(item.position) || self.find(item, path) {
                        return true;
                    }
                    path.truncate(before);
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    *path += if before == 0 { "" } else { "." };
                    *path += &Echo(&entry.key).to_string();
                    let is_value = self == Self::Element(entry.value.position);
                    if is_value
                        || self == Self::Key(entry.key_position)
                        || self.find(&entry.value, path)
                    {
                        return true;
                    }
                    path.truncate(before);
                }
            }
        }
        false
    }
}

/// An error of decoding.
#[derive(Debug)]
pub(crate) struct DecodeError {
    pub(super) what: What,
    /// Where to look.
    pub(super) place: Option<Position>,
    /// Whether it comes from within a value.
    pub(super) is_inner: bool,
    /// The innermost entry that it concerns.
    pub(super) entry: Option<EntryRef>,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum What {
    /// A key that nobody reads, and those that could have been written.
    UnknownKey { key: String, known: Vec<&'static str> },
    /// A key that must be there.
    Missing(&'static str),
    /// A key is missing that was there, but was left out because it was wrong.
    Consequence,
    /// Anything else.
    Other(String),
}

impl DecodeError {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { what: What::Other(text.into()), place: None, is_inner: false, entry: None }
    }

    /// Notes where it happened, unless that is known more exactly.
    pub(super) fn at(mut self, place: Position) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// Notes what to leave out, unless less is enough.
    pub(super) fn in_entry(mut self, entry: EntryRef) -> Self {
        self.entry.get_or_insert(entry);
        self
    }

    /// A key is missing in a map of which some entry was left out.
    pub(super) fn after_leaving_out(mut self) -> Self {
        if matches!(self.what, What::Missing(_)) && self.place.is_none() {
            self.what = What::Consequence;
        }
        self
    }

    /// Whether it says anything new.
    pub(super) const fn is_news(&self) -> bool {
        !matches!(self.what, What::Consequence)
    }

    /// It has left the value in which it happened.
    pub(super) const fn seen_from_outside(mut self) -> Self {
        self.is_inner = true;
        self
    }

    /// An unknown key could also have been one of these.
    pub(super) fn or_known(mut self, more: &[&'static str]) -> Self {
        if let What::UnknownKey { known, .. } = &mut self.what
            && !self.is_inner
        {
            known.extend(more);
        }
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::UnknownKey { key, known } => match crate::nearest::nearest(key, known) {
                Some(nearest) => write!(f, "unknown key; did you mean {nearest:?}?"),
                None => write!(f, "unknown key; known are {}", known.join(", ")),
            },
            What::Missing(key) => write!(f, "{key:?} is missing; add it"),
            What::Consequence => f.write_str("a key was left out"),
            What::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new(text.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("write {expected}"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self { what: What::Missing(field), place: None, is_inner: false, entry: None }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let what = What::UnknownKey { key: field.to_owned(), known: expected.to_vec() };
        Self { what, place: None, is_inner: false, entry: None }
    }
}
