//! SIGINT, SIGTERM and SIGHUP: the first asks for the end, the second makes it.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    flag,
};

/// The exit code of a run that was ended by a signal.
const INTERRUPTED: i32 = 130;

/// Sets `stop` on the first SIGINT, SIGTERM or SIGHUP (unless that one is ignored, as `nohup` has it); a
/// second one, before the run has ended of itself,
/// ends the process at once.
///
/// # Errors
/// If the handlers cannot be installed.
pub fn stop_on_interrupt(stop: &Arc<AtomicBool>) -> io::Result<()> {
    let hangup = (!is_ignored(SIGHUP)?).then_some(SIGHUP);
    for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
        // In this order: the first signal finds the flag still unset.
        flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(stop))?;
        flag::register(signal, Arc::clone(stop))?;
    }
    Ok(())
}

fn is_ignored(signal: i32) -> io::Result<bool> {
    // SAFETY: an all-zero `sigaction` is a value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action the call only writes the one that there is.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(action.sa_sigaction == libc::SIG_IGN)
}
