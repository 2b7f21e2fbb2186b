//! A value that may be left out, so that the rest can be read.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};

use super::names::LENIENT;

/// A value; `None` if it is so wrong that nothing of it is left. The reader has noted why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lenient<T>(pub(crate) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LENIENT, Attempting(PhantomData))
    }
}

impl<T> Lenient<T> {
    /// What could be read.
    pub(crate) const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

/// Reads a value that can be missing. What is wrong in it does not make what is beside it be read again.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Lenient::deserialize(deserializer).map(|read| read.0.unwrap_or_default())
}

struct Attempting<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Attempting<T> {
    type Value = Lenient<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    /// Each element is one attempt; an error means that another one may help, and there is no element when
    /// none can.
    fn visit_seq<A: SeqAccess<'de>>(self, mut attempts: A) -> Result<Lenient<T>, A::Error> {
        loop {
            if let Ok(value) = attempts.next_element() {
                return Ok(Lenient(value));
            }
        }
    }
}
