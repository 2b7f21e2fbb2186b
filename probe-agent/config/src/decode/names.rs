//! Names of types that the reader treats in a way of its own. No type of the schema has such a name.

/// Place and text of a single value.
pub(super) const AT: &str = "\0At";

/// Place and text of a single value or a list, whose elements are joined by commas.
pub(super) const AT_LIST: &str = "\0AtList";

/// A value that may be left out.
pub(super) const LENIENT: &str = "\0Lenient";

/// A list, or one value that stands for a list of one.
pub(super) const ONE_OR_MANY: &str = "\0OneOrMany";

/// Some keys of a map, then all others.
pub(super) const SPLIT: &str = "\0Split";
