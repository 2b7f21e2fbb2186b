//! Runs half-open TCP probes on recycled sockets.
//!
//! The only layer that knows both the kernel's side and the verdicts. Start with [`event_loop`] for one
//! worker, with [`runtime`] for the threads, and with [`session`] for a run of `check`.
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

mod conntrack;
mod deadlines;
pub mod early;
pub mod event_loop;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod flights;
pub mod gauges;
mod host_clues;
mod icmp_queue;
mod in_flight_limit;
pub mod live;
pub mod names;
mod netlink;
mod observer;
pub mod pacing;
mod probe_socket;
pub mod requests;
pub mod runtime;
mod schedule;
pub mod session;
pub mod settings;
mod shortage;
mod slot_table;
pub mod source;
pub mod source_address;
pub mod source_ports;
mod start_problem;
mod targets;
mod wakeup;
