//! The report of a run, for people or programs: summary, table, ladder, JSON.
//!
//! [`stats::RunCounts`] counts every probe on the hot path and becomes the [`summary::Summary`].
//! [`reporter::Reporter`] prints individual probes and, at the end, that summary.
// A library returns errors: it does not panic, print or exit.
#![cfg_attr(
    not(test),
    deny(
        clippy::exit,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod budget;
pub mod format;
pub mod json;
pub mod ladder;
mod live;
pub mod progress;
pub mod reporter;
pub mod stats;
pub mod style;
pub mod summary;
mod table;
mod timestamp;
mod totals;
mod wrap;

#[cfg(test)]
mod sample;
