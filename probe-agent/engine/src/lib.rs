//! Runs half-open TCP probes on recycled sockets.
//!
//! The only layer that knows both the kernel's side and the verdicts.

mod deadlines;
pub mod event_loop;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod pace;
mod pool;
pub mod requests;
pub mod schedule;
pub mod session;
pub mod settings;
mod slot;
pub mod source;
