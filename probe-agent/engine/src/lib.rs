//! Runs half-open TCP probes on recycled sockets.
//!
//! The only layer that knows both the kernel's side and the verdicts. Start with [`event_loop`] for one
//! worker, with [`runtime`] for the threads, and with [`session`] for a run of `check`.

mod deadlines;
pub mod early;
pub mod event_loop;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod flights;
pub mod gauges;
mod icmp_queue;
mod in_flight_limit;
pub mod names;
mod observer;
pub mod pacing;
mod probe_socket;
pub mod requests;
pub mod runtime;
mod schedule;
pub mod session;
pub mod settings;
mod slot_table;
pub mod source;
pub mod source_address;
pub mod source_ports;
mod start_problem;
mod targets;
