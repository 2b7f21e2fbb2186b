//! How many events the kernel lost, by every count that there is.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use probe_agent_common::Counter;

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

/// How many events were lost so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// It is known whose they were: the record of a slot counts those that its socket was part of, and
    /// [`Tracer::has_lost_since`] knows the slots that lost others.
    pub(crate) of_slots: u64,
    /// It is not known whose they were: each may concern every probe that was open or followed between two
    /// looks.
    pub(crate) of_anybody: u64,
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

    /// Events lost on the way to the ring buffer.
    pub(crate) fn count(&mut self) -> Lost {
        if self.compared.elapsed() >= INTERVAL {
            self.compared = Instant::now();
            self.unseen = self.rsts.as_mut().map_or(0, |rsts| rsts.unseen(&self.tracer));
        }
        Lost {
            of_slots: self.tracer.counter(Counter::EventsLost),
            // A RST that the recursion guard hid from its hook is in both counts.
            of_anybody: self.tracer.events_skipped().max(self.unseen),
        }
    }

    /// Ends the counting, which shares the tracer.
    pub(crate) fn end(self) {
        Tracer::release(self.tracer);
    }

    /// An event without a socket, on this local port, was lost behind the ring buffer.
    pub(crate) fn note(&self, port: u16, at: u64) {
        self.tracer.note_loss_on_port(port, at);
    }
}
