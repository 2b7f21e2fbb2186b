//! From a parsed command line to one validated configuration.
//!
//! [`CheckConfig::new`] is pure. Reading the file of targets and opening the namespace happen
//! before it in [`load`], resolving host names after it in [`resolve`], in the namespace that the
//! run uses. Nothing has been started when one of them fails.

mod check;
pub mod choice;
pub mod duration;
mod error;
pub mod jitter;
mod listed;
pub mod netns;
pub mod resolve;
pub mod source;
pub mod target;

#[cfg(test)]
mod tests;

pub use self::{
    check::{CheckConfig, KernelUse, load},
    error::ConfigError,
    listed::{LineProblem, OptionProblem},
};
