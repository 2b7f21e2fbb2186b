//! The targets of the benchmark at a small size: `cargo xtask bench` measures them at full size.
//!
//! One test at a time: each needs all processors, and each agent's programs run at every agent's events.

mod accuracy;
mod deadline;
mod growth;
mod stealth;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until no other test runs.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
