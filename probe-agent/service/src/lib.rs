//! The agent as a service: it probes targets that come and go, keeps the state of each, and reloads.
//!
//! Start with [`service`] for the loop.
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

pub mod file_watch;
mod fleet;
mod group;
pub mod names;
pub mod notice;
pub mod profile;
pub mod recent;
mod reload;
pub mod sampling;
pub mod service;
mod sink;
pub mod status;
pub mod systemd;
mod tracked;
