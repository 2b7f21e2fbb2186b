//! The figures that are promised, in small: `cargo xtask bench` takes them at full size.
//!
//! One at a time: they fill the processors, and each agent's programs run at every agent's events.

mod accuracy;
mod deadline;
mod growth;
mod stealth;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits until it is the caller's turn.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
