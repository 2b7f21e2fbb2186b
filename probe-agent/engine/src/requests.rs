//! Probes that other threads ask for while the event loop runs.
//!
//! A bounded queue with a wakeup: an event loop that sleeps in `epoll_wait()` is woken by an eventfd. One
//! that is awake looks at the queue anyway, and costs no system call.

mod source;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    time::Duration,
};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::{mpsc, oneshot};

use model::{outcome::Outcome, record::ProbeRecord};

pub use self::source::AcceptedRequest;

/// One probe that somebody waits for.
#[derive(Debug)]
pub struct Request {
    /// Where the SYN goes.
    pub address: SocketAddr,
    /// The probe ends after this, counted from its SYN.
    pub timeout: Duration,
    /// Who waits. One that has gone away by the time that the probe would start gets none.
    pub answer: oneshot::Sender<Answer>,
}

/// What a request is told, at the end of its probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The probe that decided.
    pub probe: ProbeRecord,
    /// How it went. It differs from the probe's own where a second one could not be run.
    pub outcome: Outcome,
    /// A second probe from another port found the refusal of a first one false (path C).
    pub falsely_refused: bool,
}

/// The requesting end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Requests {
    queue: mpsc::Sender<Request>,
    wakeup: Arc<Wakeup>,
}

/// The event loop's end.
#[derive(Debug)]
pub struct RequestQueue {
    queue: mpsc::Receiver<Request>,
    wakeup: Arc<Wakeup>,
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The queue is full.
    Full,
    /// The event loop has ended.
    Closed,
}

#[derive(Debug)]
struct Wakeup {
    event: EventFd,
    /// The event loop sleeps, or is about to.
    asleep: AtomicBool,
    /// Requests that were given up before their probes started.
    given_up: AtomicU64,
}

/// A queue for `bound` requests.
///
/// # Errors
/// If the kernel gives no eventfd.
pub fn channel(bound: usize) -> io::Result<(Requests, RequestQueue)> {
    let (sender, receiver) = mpsc::channel(bound.max(1));
    let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
    let wakeup =
        Arc::new(Wakeup { event, asleep: AtomicBool::new(false), given_up: AtomicU64::new(0) });
    Ok((
        Requests { queue: sender, wakeup: Arc::clone(&wakeup) },
        RequestQueue { queue: receiver, wakeup },
    ))
}

impl Requests {
    /// Asks for a probe, if there is room.
    ///
    /// # Errors
    /// The request comes back, and why.
    pub fn try_ask(&self, request: Request) -> Result<(), (Request, Refused)> {
        match self.queue.try_send(request) {
            Ok(()) => {
                self.wake();
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(request)) => Err((request, Refused::Full)),
            Err(mpsc::error::TrySendError::Closed(request)) => Err((request, Refused::Closed)),
        }
    }

    /// Asks for a probe, and waits for room. Needs no runtime.
    ///
    /// # Errors
    /// [`Refused::Closed`].
    pub async fn ask(&self, request: Request) -> Result<(), Refused> {
        self.queue.send(request).await.map_err(|_| Refused::Closed)?;
        self.wake();
        Ok(())
    }

    /// Wakes the event loop.
    pub fn wake(&self) {
        // The queue is written before the flag is read here, and the flag before the queue is read
        // there (`RequestQueue::prepare_to_sleep`): one of the two sees the other.
        fence(Ordering::SeqCst);
        if self.wakeup.asleep.swap(false, Ordering::SeqCst) {
            // It can only fail when the counter has reached 2^64.
            let _ = self.wakeup.event.write(1);
        }
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Requests that were given up before their probes started.
    #[must_use]
    pub fn given_up(&self) -> u64 {
        self.wakeup.given_up.load(Ordering::Relaxed)
    }
}

impl RequestQueue {
    /// The next request that somebody still waits for.
    fn next(&mut self) -> Option<Request> {
        while let Ok(request) = self.queue.try_recv() {
            if !request.answer.is_closed() {
                return Some(request);
            }
            self.wakeup.given_up.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    /// Notes that the event loop is about to sleep; `false` if it must not, because a request has come.
    fn prepare_to_sleep(&self) -> bool {
        self.wakeup.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.queue.is_empty()
    }

    /// Notes that the event loop is awake.
    fn wake_up(&self) {
        self.wakeup.asleep.store(false, Ordering::SeqCst);
    }
}
