//! What a person or a program reads: summary, table, ladder, JSON.
//!
//! [`stats::RunCounts`] counts every probe on the hot path and becomes the [`summary::Summary`];
//! [`reporter::Reporter`] prints the probes that are worth a word and, last, that summary.

pub mod format;
pub mod json;
pub mod ladder;
pub mod progress;
pub mod reporter;
pub mod stats;
pub mod style;
pub mod summary;
pub mod table;
pub mod timestamp;
mod totals;
mod wrap;

#[cfg(test)]
mod sample;
