//! SIGINT, SIGTERM and SIGHUP: the first asks the run to end, one too many ends the process.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering},
    },
};

use anyhow::Context;
use model::errno::in_words;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ},
    low_level,
};

use crate::exit::{Exit, Failure};

/// Lets a write beyond the limit for the size of files (`ulimit -f`) fail with `EFBIG`, which is reported,
/// instead of ending the process. Unlike a signal that is ignored, a handled one is the default again in the
/// programs that this one starts.
pub(crate) fn survive_file_limits() {
    // SAFETY: the action does nothing.
    let registered = unsafe { low_level::register(SIGXFSZ, || ()) };
    // If this host refuses it, the limit ends the process, as it does without this function.
    drop(registered);
}

/// The signals received so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupts {
    received: Arc<AtomicUsize>,
    /// The first of them; 0 before.
    first: Arc<AtomicI32>,
    stop: Arc<AtomicBool>,
}

impl Interrupts {
    /// Handles the first `handled` of SIGINT, SIGTERM and SIGHUP, in any order; one more ends the process
    /// at once. SIGHUP stays ignored if it is, as under `nohup`.
    ///
    /// # Errors
    /// This host refuses the handlers.
    pub(crate) fn install(handled: usize) -> Result<Self, Failure> {
        Self::register(handled)
            .map_err(in_words)
            .context("cannot install the signal handlers")
            .map_err(Failure::other)
    }

    fn register(handled: usize) -> io::Result<Self> {
        let this = Self::default();
        let hangup = (!is_ignored(SIGHUP)?).then_some(SIGHUP);
        for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
            let Self { received, first, stop } = this.clone();
            let action = move || {
                // It fails if another signal was first.
                let _ = first.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
                if received.fetch_add(1, Ordering::Relaxed) >= handled {
                    low_level::exit(i32::from(Exit::Interrupted.code()));
                }
                stop.store(true, Ordering::Relaxed);
            };
            // SAFETY: the action touches atomics and calls `_exit`, which are async-signal-safe; it
            // allocates nothing, frees nothing and does not panic.
            unsafe { low_level::register(signal, action) }?;
        }
        Ok(this)
    }

    /// Set by the first signal, and by whatever else ends the run.
    pub(crate) const fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// Whether SIGTERM, with which a service manager ends a service, came first.
    pub(crate) fn is_termination(&self) -> bool {
        self.first.load(Ordering::Relaxed) == SIGTERM
    }

    /// How many were received.
    pub(crate) fn received(&self) -> usize {
        self.received.load(Ordering::Relaxed)
    }
}

fn is_ignored(signal: i32) -> io::Result<bool> {
    // SAFETY: an all-zero `sigaction` is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: without a new action the call only writes the current one.
    let result = unsafe { libc::sigaction(signal, std::ptr::null(), &raw mut action) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(action.sa_sigaction == libc::SIG_IGN)
}
