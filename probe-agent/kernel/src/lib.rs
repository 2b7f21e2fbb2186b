//! The kernel's side: loading the programs, and reading what they report.

mod ack_guard;
mod bpf_log;
mod btf;
pub mod capability;
mod cgroup;
pub mod clock;
mod descriptors;
pub mod error;
mod layout;
pub mod loader;
pub mod lost_events;
pub mod mapped_array;
pub mod monotonic;
pub mod netns;
mod null_arguments;
pub mod prefetch;
mod privilege;
mod program;
pub mod reader;
pub mod reasons;
mod recursion_misses;
pub mod rst_accounting;
mod sock_ops;
pub mod state_hook;
