//! Serving requests: taking them in, sleeping until there is one, and answering.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use nix::sys::epoll::{EpollEvent, EpollFlags};

use super::{Engine, Gauges, Tracing, WorkerConfig};
use crate::{
    pace::Jitter,
    requests::{Answer, RequestQueue},
    settings::Settings,
};
use kernel::monotonic;
use model::{duration::nanos, outcome::Outcome, record::ProbeRecord, target::TargetId};

/// What epoll tells of the bell: the number of no slot.
const BELL: u64 = u64::MAX;

/// The requests that an engine serves.
pub(super) struct Service {
    queue: RequestQueue,
}

impl Engine {
    /// Prepares an engine that probes what it is asked for, until it is stopped.
    ///
    /// # Errors
    /// If the kernel gives no epoll instance.
    pub fn serving(
        settings: Settings,
        queue: RequestQueue,
        tracing: Option<Tracing>,
        gauges: Arc<Gauges>,
        stop: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let orders = WorkerConfig {
            targets: Arc::new([]),
            shares: Vec::new(),
            jitter: Jitter::default(),
            limits: Arc::default(),
        };
        let mut engine = Self::new(settings, orders, tracing, gauges, stop)?;
        // An edge for each ring: there is nothing to read.
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        engine.epoll.add(&queue, EpollEvent::new(flags, BELL))?;
        engine.service = Some(Service { queue });
        Ok(engine)
    }

    /// The next probe that was asked for.
    pub(super) fn take_request(&mut self) -> Option<TargetId> {
        let request = self.service.as_mut()?.queue.take()?;
        // The timeout begins now, not when this turn began.
        self.now = monotonic::now();
        Some(self.book.enter(request))
    }

    /// Whether the engine may sleep: it is then woken by the next request.
    pub(super) fn may_sleep(&self) -> bool {
        match &self.service {
            // While no probe may be started, a request need not wake it.
            Some(_) if self.flying >= self.ceiling.at(self.now) => true,
            // A stop is rung in too.
            Some(s) => s.queue.may_sleep() && !self.stop.load(Ordering::SeqCst),
            None => true,
        }
    }

    /// The engine is awake and will look at the queue before it sleeps again.
    pub(super) fn is_awake(&self) {
        if let Some(service) = &self.service {
            service.queue.is_awake();
        }
    }

    /// When a probe of this target that starts now is to end.
    pub(super) fn deadline(&mut self, target: TargetId) -> u64 {
        let now = self.now;
        match &mut self.book[target].job {
            // A second probe has what the first one left.
            Some(job) => *job.ends_at.get_or_insert(now.saturating_add(nanos(job.request.timeout))),
            None => now.saturating_add(nanos(self.settings.timeout)),
        }
    }

    /// Answers a request whose probe has ended, unless a second one is to decide (`doubted`).
    pub(super) fn answer(&mut self, record: &ProbeRecord, doubted: bool) {
        if self.service.is_none() {
            return;
        }
        if doubted {
            if let Some(job) = &mut self.book[record.target].job {
                job.first = Some(record.clone());
            }
            return;
        }
        let Some(job) = self.book.leave(record.target) else { return };
        let answer = match job.first {
            Some(first) if record.outcome != Outcome::Alive => {
                Answer { outcome: first.outcome, probe: first, falsely_refused: false }
            }
            first => Answer {
                probe: record.clone(),
                outcome: record.outcome,
                falsely_refused: first.is_some(),
            },
        };
        // Whoever asked may have gone away: nothing is owed then.
        let _ = job.request.answer.send(answer);
    }
}
