//! From what userspace did and what the kernel reported to verdicts with their proof.
//!
//! Pure: no I/O, no clock, no unsafe code. Knows nothing of BPF or of how probes are scheduled.
#![forbid(unsafe_code)]
// A library returns errors: it does not panic, print or exit.
#![cfg_attr(
    not(test),
    deny(
        clippy::exit,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod claims;
pub mod correlator;
mod drops;
mod events;
mod explained;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod late_synack;
mod narrate;
mod rules;
mod steps;
mod synack;
pub mod timeline;
pub mod timers;

pub use self::explained::{ExplainedProbe, Judged, explain};

#[cfg(test)]
mod tests;
