//! A list that may be written as a single value.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::names::ONE_OR_MANY;

/// Reads a list that is not empty, or one value as a list of one.
pub(crate) fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    deserializer.deserialize_newtype_struct(ONE_OR_MANY, All(PhantomData))
}

struct All<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for All<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        if all.is_empty() { Err(A::Error::custom("write at least one")) } else { Ok(all) }
    }
}
