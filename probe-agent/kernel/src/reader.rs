//! The thread that empties the ring buffer and passes each event to its worker.

mod watermark;

use std::{
    os::fd::AsFd,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError},
    },
    thread,
    time::Duration,
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::eventfd::{EfdFlags, EventFd},
};
use probe_agent_common::EventRecord;

use self::watermark::{COMMIT_SLACK, WatermarkGate};
use crate::{loader::Rings, lost_events::LostEvents, monotonic, reasons::Reasons};
use model::duration::nanos;
use model::event::FlowEvent;

/// What the reader shares with the workers.
#[derive(Debug)]
pub struct Progress {
    /// At most so many nanoseconds lie between two looks: the grain of the watermark.
    tick: u64,
    /// Every event up to this time (nanoseconds of `CLOCK_MONOTONIC`) is in the inboxes.
    watermark: AtomicU64,
    /// Events that the ring buffer or an inbox had no room for, or that could not be decoded.
    lost: AtomicU64,
}

impl Progress {
    fn new(tick: Duration) -> Self {
        Self { tick: nanos(tick), watermark: AtomicU64::default(), lost: AtomicU64::default() }
    }

    /// Every event up to this time (nanoseconds of `CLOCK_MONOTONIC`) is in its worker's inbox.
    #[must_use]
    pub fn watermark(&self) -> u64 {
        self.watermark.load(Ordering::Acquire)
    }

    /// When the reader's next look is to bring the watermark to `time` or beyond, in nanoseconds of
    /// `CLOCK_MONOTONIC`; in the past where that look is overdue.
    #[must_use]
    pub fn look_after(&self, time: u64) -> u64 {
        let last = self.watermark() + COMMIT_SLACK;
        let looks = (time + COMMIT_SLACK).saturating_sub(last).div_ceil(self.tick);
        last + looks.max(1) * self.tick
    }

    /// Events lost on the way from the hook to the inbox.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Acquire)
    }
}

/// Gives the index of the inbox for the events of a local port.
pub type Route = Arc<dyn Fn(u16) -> usize + Send + Sync>;

/// The running reader; dropping it stops and joins the thread.
#[derive(Debug)]
pub struct Reader {
    progress: Arc<Progress>,
    stop: Arc<EventFd>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reader {
    /// Starts the thread, which looks every `tick` unless it is woken.
    ///
    /// # Errors
    /// If no thread can be started, or there is no descriptor to stop it by.
    pub fn start(
        mut rings: Rings,
        tick: Duration,
        reasons: &Reasons,
        inboxes: Vec<SyncSender<FlowEvent>>,
        route: Route,
        mut losses: LostEvents,
    ) -> std::io::Result<Self> {
        let progress = Arc::new(Progress::new(tick));
        let shared = Arc::clone(&progress);
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let stopped = Arc::clone(&stop);
        let reasons = reasons.clone();
        let mut lost_here = 0;
        let mut gate = WatermarkGate::new(monotonic::now(), tick);
        let thread = thread::Builder::new().name("trace-reader".into()).spawn(move || {
            while wait(&rings, &stopped, tick) {
                let before = monotonic::now();
                while let Some(item) = rings.events.next() {
                    let delivered = record(&item)
                        .and_then(|r| FlowEvent::decode(&r, &reasons).ok())
                        .is_some_and(|event| deliver(&inboxes, &route, event));
                    if !delivered {
                        lost_here += 1;
                    }
                }
                // Stored before the watermark: who sees that also sees what was lost until then.
                shared.lost.store(lost_here + losses.count(), Ordering::Release);
                if let Some(watermark) = gate.watermark(before) {
                    shared.watermark.store(watermark, Ordering::Release);
                }
                if let Some(log) = &mut rings.log {
                    log.forward();
                }
            }
        })?;
        Ok(Self { progress, stop, thread: Some(thread) })
    }

    /// What the reader shares with the workers.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // A counter at 0 takes a 1.
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            // A panic of the reader has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}

/// Waits until the ring has something, or for one tick; whether to go on.
fn wait(rings: &Rings, stop: &EventFd, tick: Duration) -> bool {
    let wanted = |fd| PollFd::new(fd, PollFlags::POLLIN);
    let mut fds = [wanted(rings.events.as_fd()), wanted(stop.as_fd())];
    let tick = PollTimeout::try_from(tick).unwrap_or(PollTimeout::ZERO);
    // After an interrupted or refused wait the ring is only looked at early.
    poll(&mut fds, tick).is_err() || !fds[1].any().unwrap_or_default()
}

fn deliver(inboxes: &[SyncSender<FlowEvent>], route: &Route, event: FlowEvent) -> bool {
    match inboxes.get(route(event.flow.local_port)).map(|inbox| inbox.try_send(event)) {
        Some(Ok(())) => true,
        // A worker that has ended needs no events: this is no loss.
        Some(Err(TrySendError::Disconnected(_))) => true,
        Some(Err(TrySendError::Full(_))) | None => false,
    }
}

/// The record in a ring buffer item; `None` if it has another length.
fn record(bytes: &[u8]) -> Option<EventRecord> {
    if bytes.len() != size_of::<EventRecord>() {
        return None;
    }
    // SAFETY: the length is right, every bit pattern is an `EventRecord`, and an unaligned read
    // has no alignment to keep.
    Some(unsafe { bytes.as_ptr().cast::<EventRecord>().read_unaligned() })
}
