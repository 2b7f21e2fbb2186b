//! A value with its place.

use std::{borrow::Cow, fmt, marker::PhantomData, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::names::{AT, AT_LIST};
use crate::{
    echo::{Echo, without_secrets},
    position::Position,
};

/// A value that a setting can have. It is written as one text, or as a number that reads the same.
pub trait Setting: Clone + fmt::Debug + fmt::Display + FromStr<Err: fmt::Display> {
    /// Whether it may also be written as a list: `[80, 443]` for `80,443`.
    const IS_LIST: bool = false;

    /// What the JSON Schema says of it.
    fn schema() -> Schema;

    /// The value in a JSON document.
    fn json(&self) -> serde_json::Value {
        self.to_string().into()
    }
}

/// A value with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub position: Position,
}

impl<'de, T: Setting> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = if T::IS_LIST { AT_LIST } else { AT };
        deserializer.deserialize_newtype_struct(name, Parts(PhantomData))
    }
}

struct Parts<T>(PhantomData<T>);

impl<'de, T: Setting> Visitor<'de> for Parts<T> {
    type Value = At<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<At<T>, A::Error> {
        let missing = || A::Error::custom("a value with its place");
        let line = parts.next_element()?.ok_or_else(missing)?;
        let column = parts.next_element()?.ok_or_else(missing)?;
        let text: String = parts.next_element()?.ok_or_else(missing)?;
        Ok(At { value: parse(&text)?, position: Position { line, column } })
    }
}

fn parse<T: FromStr<Err: fmt::Display>, E: serde::de::Error>(text: &str) -> Result<T, E> {
    text.parse().map_err(|error| E::custom(format!("{:?}: {error}", Echo(without_secrets(text)))))
}

/// Reads a value from its text.
pub(crate) fn from_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    parse(&String::deserialize(deserializer)?)
}

impl<T: Setting> JsonSchema for At<T> {
    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }

    fn schema_id() -> Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}
