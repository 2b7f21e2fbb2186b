//! From what userspace did and what the kernel reported to verdicts with their proof.
//!
//! Pure: no I/O, no clock, no unsafe code. Knows nothing of BPF or of how probes are scheduled.
#![forbid(unsafe_code)]

mod explained;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod narrate;
mod orphans;
pub mod rules;
pub mod settle;
mod steps;
pub mod synack;
pub mod timeline;

pub use self::explained::{ExplainedProbe, Judged, explain};

#[cfg(test)]
mod tests;
