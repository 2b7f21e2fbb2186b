//! The kernel's side: loading the programs, and reading what they report.

pub mod ack_guard;
pub mod audit;
pub mod btf;
pub mod cgroup;
pub mod clock;
pub mod error;
pub mod event;
pub mod format;
pub mod layout;
pub mod loader;
pub mod losses;
pub mod mapped;
pub mod misses;
pub mod own_states;
mod program;
pub mod reader;
pub mod tracefs;
