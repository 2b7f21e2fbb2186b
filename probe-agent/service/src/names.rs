//! Names of targets, looked up by somebody else.

use std::{collections::HashSet, net::IpAddr};

use engine::names::Unresolved;

/// The answer for a name.
pub type Answer = Result<Vec<IpAddr>, Unresolved>;

/// Looks names up, and again when their answers have grown old.
pub trait Resolver {
    /// The names to look up from now on, and no others.
    fn watch(&mut self, names: HashSet<String>);

    /// Answers that differ from the last ones, since the last call. Does not wait.
    fn changes(&mut self) -> Vec<(String, Answer)>;
}

/// For configurations without names.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Resolver for NoNames {
    fn watch(&mut self, _: HashSet<String>) {}

    fn changes(&mut self) -> Vec<(String, Answer)> {
        Vec::new()
    }
}
