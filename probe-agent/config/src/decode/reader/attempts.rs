//! Reads one value again and again, each time without what was wrong before.

use serde::de::{DeserializeSeed, SeqAccess};

use super::Reader;
use crate::decode::error::DecodeError;

pub(super) struct Attempts<'a> {
    reader: Reader<'a>,
    failures: usize,
    has_given_up: bool,
}

/// More attempts at one value would take long, and repair nothing.
const MOST_FAILURES: usize = 100;

impl<'a> Attempts<'a> {
    pub(super) const fn new(reader: Reader<'a>) -> Self {
        Self { reader, failures: 0, has_given_up: false }
    }
}

impl<'de> SeqAccess<'de> for Attempts<'_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        if self.has_given_up {
            return Ok(None);
        }
        seed.deserialize(self.reader).map(Some).inspect_err(|error| {
            let helps = self.reader.context.record(error, self.reader.node);
            self.failures += 1;
            self.has_given_up = !helps || self.failures == MOST_FAILURES;
        })
    }
}
