//! Probes that others ask the engine for while it runs.
//!
//! A queue with a bound, and a bell: an engine that sleeps in `epoll_wait()` is woken by an eventfd,
//! one that is awake looks at the queue anyway and costs no system call.

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering, fence},
    },
    time::Duration,
};

use nix::sys::eventfd::{EfdFlags, EventFd};
use tokio::sync::{mpsc, oneshot};

use model::{outcome::Outcome, record::ProbeRecord};

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

/// The asking end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct Requests {
    queue: mpsc::Sender<Request>,
    bell: Arc<Bell>,
}

/// The engine's end.
#[derive(Debug)]
pub struct RequestQueue {
    queue: mpsc::Receiver<Request>,
    bell: Arc<Bell>,
}

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The queue is full.
    Full,
    /// The engine has ended.
    Closed,
}

#[derive(Debug)]
struct Bell {
    event: EventFd,
    /// The engine sleeps, or is about to.
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
    let bell =
        Arc::new(Bell { event, asleep: AtomicBool::new(false), given_up: AtomicU64::new(0) });
    Ok((
        Requests { queue: sender, bell: Arc::clone(&bell) },
        RequestQueue { queue: receiver, bell },
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
                self.ring();
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
        self.ring();
        Ok(())
    }

    /// Wakes the engine.
    pub fn ring(&self) {
        // The queue is written before the flag is read here, and the flag before the queue is read
        // there (`RequestQueue::may_sleep`): one of the two sees the other.
        fence(Ordering::SeqCst);
        if self.bell.asleep.swap(false, Ordering::SeqCst) {
            // It can only fail when 2^64 rings have not been heard.
            let _ = self.bell.event.write(1);
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
        self.bell.given_up.load(Ordering::Relaxed)
    }
}

impl RequestQueue {
    /// The next request that somebody still waits for.
    pub(super) fn take(&mut self) -> Option<Request> {
        while let Ok(request) = self.queue.try_recv() {
            if !request.answer.is_closed() {
                return Some(request);
            }
            self.bell.given_up.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    /// Notes that the engine is about to sleep; false if it must not, because a request has come.
    pub(super) fn may_sleep(&self) -> bool {
        self.bell.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.queue.is_empty()
    }

    /// Notes that the engine is awake.
    pub(super) fn is_awake(&self) {
        self.bell.asleep.store(false, Ordering::SeqCst);
    }
}

impl AsFd for RequestQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.event.as_fd()
    }
}
