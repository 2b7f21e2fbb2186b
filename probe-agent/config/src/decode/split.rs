//! Two types that share one map of keys.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::names::SPLIT;

/// Reads a map as two types: the one that has these keys, and the one that has all others.
///
/// Serde's own way (`flatten`) copies the map first, and then no value has a place any more.
pub(crate) fn split<'de, D, A, B>(
    deserializer: D,
    keys: &'static [&'static str],
) -> Result<(A, B), D::Error>
where
    D: Deserializer<'de>,
    A: Deserialize<'de>,
    B: Deserialize<'de>,
{
    deserializer.deserialize_struct(SPLIT, keys, Both(PhantomData))
}

struct Both<A, B>(PhantomData<(A, B)>);

impl<'de, A: Deserialize<'de>, B: Deserialize<'de>> Visitor<'de> for Both<A, B> {
    type Value = (A, B);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of keys and values")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut parts: S) -> Result<(A, B), S::Error> {
        let missing = || S::Error::custom("a map of keys and values");
        let chosen = parts.next_element()?.ok_or_else(missing)?;
        Ok((chosen, parts.next_element()?.ok_or_else(missing)?))
    }
}
