//! Turns a timeline into verdicts. Pure: no I/O, no clock reads.

pub mod finding;
pub mod step;
pub mod verdict;
