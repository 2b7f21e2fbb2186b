//! How many events the kernel lost, by every count that there is.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{loader::Tracer, rst_accounting::RstAccounting};

/// How often the hooks' count of RSTs is compared with the kernel's: often enough that a difference is
/// known before a probe's settle window ends.
const INTERVAL: Duration = Duration::from_millis(50);

/// What a tracer lost.
pub struct LostEvents {
    tracer: Arc<Tracer>,
    rsts: Option<RstAccounting>,
    compared: Instant,
    unseen: u64,
}

impl LostEvents {
    /// Begins to count. Where the hooks see every RST, those of the calling thread's network namespace
    /// are compared with the kernel's count.
    ///
    /// # Errors
    /// If `/proc` does not show that count.
    pub fn begin(tracer: &Arc<Tracer>) -> io::Result<Self> {
        let rsts = tracer.sees_every_rst().then(|| RstAccounting::begin(tracer)).transpose()?;
        Ok(Self { tracer: Arc::clone(tracer), rsts, compared: Instant::now(), unseen: 0 })
    }

    /// Events lost so far.
    pub(super) fn count(&mut self) -> u64 {
        if self.compared.elapsed() >= INTERVAL {
            self.compared = Instant::now();
            self.unseen = self.rsts.as_mut().map_or(0, |rsts| rsts.unseen(&self.tracer));
        }
        self.tracer.events_lost().max(self.unseen)
    }
}
