//! SIGTERM and SIGINT end the service, SIGHUP makes it reload. A second end ends the process at once.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use anyhow::Context;
use model::errno::in_words;
use service::service::Control;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    low_level,
};

use crate::exit::{Exit, Failure};

/// Which signal ends the service; 0 before.
#[derive(Clone, Debug, Default)]
pub(super) struct Ended(Arc<AtomicI32>);

impl Ended {
    /// Whether it was SIGINT: somebody has ended a service that runs in a terminal.
    pub(super) fn is_interrupt(&self) -> bool {
        self.0.load(Ordering::Relaxed) == SIGINT
    }
}

/// Handles the signals.
///
/// # Errors
/// This host refuses the handlers.
pub(super) fn install(control: &Arc<Control>) -> Result<Ended, Failure> {
    let ended = Ended::default();
    let register = || -> std::io::Result<()> {
        for signal in [SIGTERM, SIGINT] {
            let (control, ended) = (Arc::clone(control), ended.clone());
            let action = move || {
                if control.stop.swap(true, Ordering::SeqCst) {
                    low_level::exit(i32::from(Exit::Interrupted.code()));
                }
                ended.0.store(signal, Ordering::Relaxed);
            };
            // SAFETY: the action touches atomics and calls `_exit`, which are async-signal-safe; it allocates
            // nothing, frees nothing and does not panic.
            unsafe { low_level::register(signal, action) }?;
        }
        let control = Arc::clone(control);
        let action = move || control.reload.store(true, Ordering::SeqCst);
        // SAFETY: the action stores to an atomic, which is async-signal-safe.
        unsafe { low_level::register(SIGHUP, action) }?;
        Ok(())
    };
    register()
        .map_err(in_words)
        .context("cannot install the signal handlers")
        .map_err(Failure::other)?;
    Ok(ended)
}
