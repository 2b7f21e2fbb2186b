//! The kernel's side: loading the programs, and reading what they report.

pub mod clock;
pub mod event;
