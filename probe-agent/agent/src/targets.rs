//! What to probe: targets as written, files of them, and their addresses.

pub(crate) mod file;
pub(crate) mod resolve;
