//! Half-open TCP probes, explained by the kernel.
//!
//! Data flows **probe -> trace -> correlate -> explain -> export**, in that order and no other.
//! `correlate` and `explain` are pure: no I/O, no clock reads.

pub mod check;
pub mod checker;
pub mod cli;
pub mod config;
pub mod correlate;
pub mod demo;
pub mod explain;
pub mod export;
pub mod lab;
pub mod monotonic;
pub mod probe;
pub mod report;
pub mod session;
pub mod signals;
pub mod trace;
pub mod words;
