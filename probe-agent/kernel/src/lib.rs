//! The kernel's side: loading the programs, and reading what they report.

pub mod ack_guard;
pub mod btf;
pub mod cgroup;
pub mod clock;
pub mod error;
pub mod format;
pub mod layout;
pub mod loader;
pub mod losses;
pub mod mapped;
pub mod misses;
pub mod monotonic;
pub mod netns;
pub mod own_states;
pub mod prefetch;
mod program;
pub mod reader;
pub mod rst_accounting;
pub mod tracefs;
