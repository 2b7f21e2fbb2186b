//! SIGINT and SIGTERM: the first asks for the end, the second makes it.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

/// The exit code of a run that was ended by a signal.
const INTERRUPTED: i32 = 130;

/// Sets `stop` on the first SIGINT or SIGTERM; a second one, before the run has ended of itself,
/// ends the process at once.
///
/// # Errors
/// If the handlers cannot be installed.
pub fn stop_on_interrupt(stop: &Arc<AtomicBool>) -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag still unset.
        flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(stop))?;
        flag::register(signal, Arc::clone(stop))?;
    }
    Ok(())
}
