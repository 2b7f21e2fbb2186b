//! Runs half-open TCP probes on recycled sockets.
//!
//! The only layer that knows both the kernel's side and the verdicts. Start at [`event_loop`] for one
//! worker, at [`runtime`] for the threads, at [`session`] for a run of `check`.

pub mod addresses;
mod deadlines;
pub mod event_loop;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod flights;
pub mod gauges;
mod in_flight_limit;
mod observer;
pub mod pacing;
pub mod requests;
pub mod runtime;
pub mod schedule;
pub mod session;
pub mod settings;
mod slot;
mod slot_table;
mod targets;
pub mod work;
