//! The elements of a list, the entries of a map, and the parts of what the reader treats specially.

use serde::de::{
    DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess,
    value::{StrDeserializer, StringDeserializer, U64Deserializer},
};

use super::{Context, Reader, View};
use crate::{
    decode::error::{DecodeError, EntryRef},
    position::Position,
    tree::{Entry, Node, Value},
};

/// The elements of a list.
pub(super) struct Items<'a> {
    rest: std::slice::Iter<'a, Node>,
    context: &'a Context,
}

impl<'a> Items<'a> {
    pub(super) fn new(items: &'a [Node], context: &'a Context) -> Self {
        Self { rest: items.iter(), context }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let context = self.context;
        let is_wanted = |node: &&Node| !context.is_left_out(EntryRef::Element(node.position));
        let Some(node) = self.rest.find(is_wanted) else { return Ok(None) };
        let element = EntryRef::Element(node.position);
        let value = seed.deserialize(Reader::new(node, context));
        value.map(Some).map_err(|error: DecodeError| {
            error.at(node.position).in_entry(element).seen_from_outside()
        })
    }
}

/// The entries of a map.
pub(super) struct Entries<'a> {
    rest: std::slice::Iter<'a, Entry>,
    /// A key that stands for the value that was written without it.
    implied: Option<&'static str>,
    value: Option<(&'a Node, Option<Position>)>,
    reader: Reader<'a>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(entries: &'a [Entry], reader: Reader<'a>) -> Self {
        Self { rest: entries.iter(), implied: None, value: None, reader }
    }

    /// A single entry, whose value is that of the reader itself.
    pub(super) fn of_one(key: &'static str, reader: Reader<'a>) -> Self {
        Self { implied: Some(key), ..Self::new(&[], reader) }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        if let Some(key) = self.implied.take() {
            self.value = Some((self.reader.node, None));
            return seed.deserialize(StrDeserializer::new(key)).map(Some);
        }
        let Reader { context, view, .. } = self.reader;
        let is_wanted = |entry: &&Entry| {
            view.shows(&entry.key) && !context.is_left_out(EntryRef::Key(entry.key_position))
        };
        let Some(entry) = self.rest.find(is_wanted) else { return Ok(None) };
        self.value = Some((&entry.value, Some(entry.key_position)));
        let key =
            seed.deserialize(StrDeserializer::new(&entry.key)).map_err(|error: DecodeError| {
                error.at(entry.key_position).in_entry(EntryRef::Key(entry.key_position))
            });
        key.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let Some((node, key)) = self.value.take() else {
            return Err(DecodeError::new("a value without a key"));
        };
        let reader = Reader::new(node, self.reader.context);
        seed.deserialize(reader).map_err(|error: DecodeError| {
            let error = error.at(node.position).seen_from_outside();
            match key {
                Some(key) => error.in_entry(EntryRef::Key(key)),
                None => error,
            }
        })
    }
}

/// A fixed number of parts.
pub(super) struct Parts<'a> {
    reader: Reader<'a>,
    next: Part,
}

enum Part {
    Line { allows_list: bool },
    Column { allows_list: bool },
    Text { allows_list: bool },
    Chosen(&'static [&'static str]),
    Others(&'static [&'static str]),
    End,
}

impl<'a> Parts<'a> {
    /// Line, column and text.
    pub(super) const fn place_and_text(reader: Reader<'a>, allows_list: bool) -> Self {
        Self { reader, next: Part::Line { allows_list } }
    }

    /// The map with some keys only, then without them.
    pub(super) const fn split(reader: Reader<'a>, keys: &'static [&'static str]) -> Self {
        Self { reader, next: Part::Chosen(keys) }
    }
}

/// Stands for the keys that a value without keys does not have.
static NO_KEYS: Node = Node { position: Position::NONE, value: Value::Null };

impl<'de> SeqAccess<'de> for Parts<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        let reader = self.reader;
        let Position { line, column } = reader.node.position;
        let number =
            |number: u32| -> U64Deserializer<DecodeError> { u64::from(number).into_deserializer() };
        let (next, value) = match self.next {
            Part::Line { allows_list } => {
                (Part::Column { allows_list }, seed.deserialize(number(line))?)
            }
            Part::Column { allows_list } => {
                (Part::Text { allows_list }, seed.deserialize(number(column))?)
            }
            Part::Text { allows_list } => {
                let text: StringDeserializer<DecodeError> =
                    reader.text(allows_list)?.into_deserializer();
                (Part::End, seed.deserialize(text)?)
            }
            Part::Chosen(keys) => {
                let node = match &reader.node.value {
                    Value::Map(_) => reader.node,
                    Value::Null | Value::Scalar(_) | Value::List(_) => &NO_KEYS,
                };
                let view = View::Only(keys);
                (Part::Others(keys), seed.deserialize(Reader { node, view, ..reader })?)
            }
            Part::Others(keys) => {
                let value = seed.deserialize(Reader { view: View::Without(keys), ..reader });
                (Part::End, value.map_err(|error| error.or_known(keys))?)
            }
            Part::End => return Ok(None),
        };
        self.next = next;
        Ok(Some(value))
    }
}
