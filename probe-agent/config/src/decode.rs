//! From the tree to the types of the schema, by serde. Every error is collected: what is wrong is left out, and
//! the rest is read again.

mod error;
mod lenient;
mod many;
mod names;
mod reader;
mod setting;
mod split;

use std::sync::Arc;

use serde::Deserialize;

use self::reader::{Context, Found, Reader};
pub use self::setting::{At, Setting};
pub(crate) use self::{
    lenient::{Lenient, lenient},
    many::one_or_many,
    setting::from_text,
    split::split,
};
use crate::{
    problem::{Problem, Problems},
    tree::Node,
};

/// Reads a value from a tree. There may be a value beside problems: what is wrong was left out.
pub(crate) fn decode<T>(source: &Arc<str>, root: &Node) -> (Option<T>, Problems)
where
    T: for<'de> Deserialize<'de>,
{
    let context = Context::default();
    let value = Lenient::<T>::deserialize(Reader::new(root, &context)).ok().and_then(|read| read.0);
    let mut problems = Problems::default();
    let (found, more) = context.into_found();
    problems.leave_out(more);
    for Found { place, entry, text } in found {
        let key = entry.path_in(root);
        problems.push(Problem { source: Arc::clone(source), position: Some(place), key, text });
    }
    (value, problems)
}

#[cfg(test)]
mod tests;
