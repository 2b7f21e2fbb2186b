//! Events that the kernel lost, by all that is known of them: for whoever reads the ring buffer.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use super::loader::Tracer;
use crate::rst_accounting::Audit;

/// How often the hooks' count of RSTs is compared with the kernel's: soon enough to be known before a
/// probe's settle window ends.
const AUDIT: Duration = Duration::from_millis(50);

/// What a tracer lost.
pub struct Losses {
    tracer: Arc<Tracer>,
    audit: Option<Audit>,
    audited: Instant,
    unseen: u64,
}

impl Losses {
    /// Begins to count; where the hooks see every RST, those of the calling thread's network namespace
    /// are compared with the kernel's count.
    ///
    /// # Errors
    /// If `/proc` does not show that count.
    pub fn begin(tracer: &Arc<Tracer>) -> io::Result<Self> {
        let audit = tracer.sees_every_rst().then(|| Audit::begin(tracer)).transpose()?;
        Ok(Self { tracer: Arc::clone(tracer), audit, audited: Instant::now(), unseen: 0 })
    }

    /// Events lost so far.
    pub(super) fn count(&mut self) -> u64 {
        if self.audited.elapsed() >= AUDIT {
            self.audited = Instant::now();
            self.unseen = self.audit.as_mut().map_or(0, |a| a.unseen(&self.tracer));
        }
        self.tracer.events_lost().max(self.unseen)
    }
}
