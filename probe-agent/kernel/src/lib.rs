//! The kernel's side: loading the programs, and reading what they report.
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

mod ack_guard;
mod bpf_log;
mod btf;
pub mod capability;
mod cgroup;
pub mod clock;
pub mod error;
pub mod headroom;
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
