//! The plain values that every layer of probe-agent uses: what was probed, what the kernel reported, and
//! what was concluded from it.
//!
//! No I/O, no clock, no unsafe code.
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

pub mod append_list;
pub mod capability;
pub mod claim;
pub mod duration;
pub mod errno;
pub mod event;
pub mod expect;
pub mod finding;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod flow;
pub mod host_clues;
pub mod human;
pub mod icmp;
pub mod outcome;
pub mod packet_drop;
pub mod record;
pub mod segment;
pub mod spans;
pub mod step;
pub mod target;
pub mod time_span;
pub mod verdict;
