//! A serde deserializer over the tree.

mod access;
mod attempts;

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
};

use serde::{
    Deserializer,
    de::{Visitor, value::StrDeserializer},
    forward_to_deserialize_any,
};

use self::{
    access::{Entries, Items, Parts},
    attempts::Attempts,
};
use super::{
    error::{DecodeError, EntryRef},
    names,
};
use crate::{
    position::Position,
    problem::MOST_PROBLEMS,
    tree::{Entry, Node, Value},
};

/// A struct whose first key is one of these may be written as the value of that key alone.
const SHORTHANDS: [&str; 3] = ["address", "files", "url"];

/// An error that was found, and what was then left out.
pub(super) struct Found {
    pub(super) place: Position,
    pub(super) entry: EntryRef,
    pub(super) text: String,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Context {
    found: RefCell<Vec<Found>>,
    /// Errors beyond those that are kept.
    more: Cell<usize>,
    left_out: RefCell<HashSet<EntryRef>>,
}

impl Context {
    /// Notes an error, and what to leave out next time. Returns whether trying again can help.
    fn record(&self, error: &DecodeError, node: &Node) -> bool {
        let place = error.place.unwrap_or(node.position);
        let entry = error.entry.unwrap_or(EntryRef::Element(node.position));
        let mut found = self.found.borrow_mut();
        if !error.is_news() {
            // Reported before, in other words.
        } else if found.len() < MOST_PROBLEMS {
            found.push(Found { place, entry, text: error.to_string() });
        } else {
            self.more.set(self.more.get() + 1);
        }
        error.entry.is_some_and(|entry| self.left_out.borrow_mut().insert(entry))
    }

    fn is_left_out(&self, entry: EntryRef) -> bool {
        let left_out = self.left_out.borrow();
        // Nothing is, in a file without errors.
        !left_out.is_empty() && left_out.contains(&entry)
    }

    /// The first errors, and how many more there were.
    pub(super) fn into_found(self) -> (Vec<Found>, usize) {
        (self.found.into_inner(), self.more.get())
    }
}

/// Which keys of a map are read.
#[derive(Clone, Copy)]
pub(super) enum View {
    All,
    Only(&'static [&'static str]),
    Without(&'static [&'static str]),
}

impl View {
    pub(super) fn shows(self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(keys) => keys.contains(&key),
            Self::Without(keys) => !keys.contains(&key),
        }
    }
}

/// Reads one value of the tree.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) node: &'a Node,
    pub(super) context: &'a Context,
    pub(super) view: View,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(node: &'a Node, context: &'a Context) -> Self {
        Self { node, context, view: View::All }
    }

    fn wrong(self, expected: &dyn serde::de::Expected) -> DecodeError {
        let text = format!("this is {}; write {expected}", self.node.kind());
        DecodeError::new(text).at(self.node.position)
    }

    /// The text of a single value; of a list, if one is allowed, its elements joined by commas.
    pub(super) fn text(self, allows_list: bool) -> Result<String, DecodeError> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar.text.clone()),
            Value::List(items) if allows_list => {
                let texts = items.iter().map(|item| Self { node: item, ..self }.text(false));
                Ok(texts.collect::<Result<Vec<_>, _>>()?.join(","))
            }
            Value::Null | Value::List(_) | Value::Map(_) => {
                Err(self.wrong(&if allows_list { "a value or a list" } else { "a single value" }))
            }
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let result = match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(scalar) => visitor.visit_str(&scalar.text),
            Value::List(items) => visitor.visit_seq(Items::new(items, self.context)),
            Value::Map(entries) => visitor.visit_map(Entries::new(entries, self)),
        };
        result.map_err(|error| error.at(self.node.position))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(Items::new(items, self.context)),
            Value::Null => visitor.visit_seq(Items::new(&[], self.context)),
            Value::Scalar(_) | Value::Map(_) => Err(self.wrong(&"a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.node.value {
            Value::Map(entries) => {
                let result = visitor.visit_map(Entries::new(entries, self));
                let is_left_out =
                    |e: &Entry| self.context.is_left_out(EntryRef::Key(e.key_position));
                result.map_err(|error| match entries.iter().any(is_left_out) {
                    true => error.after_leaving_out(),
                    false => error,
                })
            }
            Value::Null => visitor.visit_map(Entries::new(&[], self)),
            Value::Scalar(_) | Value::List(_) => Err(self.wrong(&"a map of keys and values")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == names::SPLIT {
            return visitor.visit_seq(Parts::split(self, fields));
        }
        let shorthand = fields.first().filter(|first| SHORTHANDS.contains(first));
        match (&self.node.value, shorthand) {
            (Value::Scalar(_), Some(key)) => visitor.visit_map(Entries::of_one(key, self)),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match name {
            names::LENIENT => visitor.visit_seq(Attempts::new(self)),
            names::ONE_OR_MANY if matches!(self.node.value, Value::Scalar(_)) => {
                visitor.visit_seq(Items::new(std::slice::from_ref(self.node), self.context))
            }
            names::ONE_OR_MANY => self.deserialize_seq(visitor),
            names::AT => visitor.visit_seq(Parts::place_and_text(self, false)),
            names::AT_LIST => visitor.visit_seq(Parts::place_and_text(self, true)),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_string(self.text(false)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let text = self.text(false)?;
        visitor.visit_enum(StrDeserializer::<DecodeError>::new(&text))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct
        tuple tuple_struct identifier ignored_any
    }
}
