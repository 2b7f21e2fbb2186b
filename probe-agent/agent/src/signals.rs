//! SIGINT, SIGTERM and SIGHUP: the first asks for the end, one too many makes it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    low_level,
};

/// The exit code of a run that was ended by a signal.
const INTERRUPTED: i32 = 130;

/// The signals that have come so far.
#[derive(Clone, Debug)]
pub(crate) struct Interrupts {
    seen: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Interrupts {
    /// Hears the first `heard` of SIGINT, SIGTERM and SIGHUP (unless that one is ignored, as `nohup`
    /// has it), in whatever order they come. One more ends the process at once.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub(crate) fn hear(heard: usize) -> io::Result<Self> {
        let this = Self { seen: Arc::default(), stop: Arc::default() };
        let hangup = (!is_ignored(SIGHUP)?).then_some(SIGHUP);
        for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
            let Self { seen, stop } = this.clone();
            let action = move || {
                if seen.fetch_add(1, Ordering::Relaxed) >= heard {
                    low_level::exit(INTERRUPTED);
                }
                stop.store(true, Ordering::Relaxed);
            };
            // SAFETY: the action touches atomics and calls `_exit`, which are async-signal-safe; it
            // allocates nothing, frees nothing and does not panic.
            unsafe { low_level::register(signal, action) }?;
        }
        Ok(this)
    }

    /// Set by the first signal; others may set it as well.
    #[must_use]
    pub(crate) const fn stop(&self) -> &Arc<AtomicBool> {
        &self.stop
    }

    /// How many have come.
    #[must_use]
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::Relaxed)
    }
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
