//! The thread that empties the ring buffer and passes each event to its worker.

mod inbox;
mod progress;
mod watermark;

use std::{
    io,
    os::fd::AsFd,
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use model::event::FlowEvent;
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::eventfd::{EfdFlags, EventFd},
};
use probe_agent_common::EventRecord;

use self::watermark::WatermarkGate;
pub use self::{
    inbox::{Inbox, InboxSender, inbox},
    progress::Progress,
};
use crate::{
    loader::Rings,
    lost_events::{Lost, LostEvents},
    monotonic,
    reasons::Reasons,
};

/// Gives the index of the inbox for the events of a local port.
pub type Route = Arc<dyn Fn(u16) -> usize + Send + Sync>;

/// The running reader. [`Self::stop`] ends the thread and waits for it; dropping this only ends it.
#[derive(Debug)]
pub struct Reader {
    progress: Arc<Progress>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reader {
    /// Starts the thread, which looks every `tick` unless it is woken.
    ///
    /// # Errors
    /// If no thread can be started, or there is no descriptor to wake it by.
    pub fn start(
        rings: Rings,
        tick: Duration,
        reasons: &Reasons,
        inboxes: Vec<InboxSender>,
        route: Route,
        losses: LostEvents,
    ) -> io::Result<Self> {
        let wakeup = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let progress = Arc::new(Progress::new(tick, wakeup));
        let reasons = reasons.clone();
        let gate = WatermarkGate::new(monotonic::now(), tick);
        let post = Post { reasons, inboxes, route, losses, lost: Lost::default() };
        let shared = Arc::clone(&progress);
        let run = move || read(rings, tick, post, gate, &shared);
        let thread = thread::Builder::new().name("trace-reader".into()).spawn(run)?;
        Ok(Self { progress, thread: Some(thread) })
    }

    /// What the reader shares with the workers.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Ends the thread and waits for it.
    pub fn stop(mut self) {
        self.end();
        if let Some(thread) = self.thread.take() {
            // A panic of the reader has been printed; there is nothing to add.
            let _ = thread.join();
        }
    }

    fn end(&self) {
        self.progress.stop.store(true, Ordering::Release);
        self.progress.look_now();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end();
    }
}

/// Looks at the ring until the reader is stopped.
fn read(
    mut rings: Rings,
    tick: Duration,
    mut post: Post,
    mut gate: WatermarkGate,
    shared: &Progress,
) {
    while wait(&rings, shared, tick) {
        let before = monotonic::now();
        while let Some(item) = rings.events.next() {
            post.deliver(&item);
        }
        shared.store(post.lost(), gate.watermark(before));
        if let Some(log) = &mut rings.log {
            log.forward();
        }
    }
    post.losses.end();
}

/// Waits until the ring has something, for one tick, or until the reader is woken; whether to go on.
fn wait(rings: &Rings, shared: &Progress, tick: Duration) -> bool {
    let wanted = |fd| PollFd::new(fd, PollFlags::POLLIN);
    let mut fds = [wanted(rings.events.as_fd()), wanted(shared.wakeup.as_fd())];
    let tick = PollTimeout::try_from(tick).unwrap_or(PollTimeout::ZERO);
    // After an interrupted or refused wait the ring is only looked at early, and so it is where nothing
    // has woken the reader.
    let _ = poll(&mut fds, tick);
    let _ = shared.wakeup.read();
    !shared.stop.load(Ordering::Acquire)
}

/// Passes events to the workers.
struct Post {
    reasons: Reasons,
    inboxes: Vec<InboxSender>,
    route: Route,
    losses: LostEvents,
    /// Lost here.
    lost: Lost,
}

impl Post {
    /// Passes on what is in a ring buffer item.
    fn deliver(&mut self, item: &[u8]) {
        let decode = |record| FlowEvent::decode(&record, &self.reasons).ok();
        let Some(event) = record(item).and_then(decode) else {
            self.lost.of_anybody += 1;
            return;
        };
        let inbox = self.inboxes.get((self.route)(event.flow.local_port));
        if inbox.is_some_and(|inbox| inbox.put(event)) {
            return;
        }
        self.lost.of_slots += 1;
        // The record of its slot counts an event that a socket was part of.
        if event.socket.is_none() {
            self.losses.note(event.flow.local_port, event.event.at);
        }
    }

    /// All that was lost so far, here and on the way to the ring buffer.
    fn lost(&mut self) -> Lost {
        let before = self.losses.count();
        Lost {
            of_slots: self.lost.of_slots + before.of_slots,
            of_anybody: self.lost.of_anybody + before.of_anybody,
        }
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
