//! From a parsed command line to one validated configuration.
//!
//! [`CheckConfig::new`] is pure. Reading the file of targets and opening the namespace happen
//! before it in [`load`], resolving host names after it in [`resolve`], in the namespace that the
//! run uses. Nothing has been started when one of them fails.

mod check;
mod error;
pub(crate) mod jitter;
mod listed;
pub(crate) mod netns;
pub(crate) mod resolve;
pub(crate) mod source;
pub(crate) mod target;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    check::{CheckConfig, KernelUse, load},
    error::ConfigError,
};
