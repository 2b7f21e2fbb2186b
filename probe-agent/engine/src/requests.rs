//! Probes that other threads request while the event loop runs.
//!
//! A bounded queue with a wakeup.

mod source;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};

use model::record::ProbeRecord;

pub use self::source::AcceptedRequest;
use crate::wakeup::Wakeup;

/// A request for one probe.
#[derive(Debug)]
pub struct Request {
    /// Where the SYN goes.
    pub address: SocketAddr,
    /// The probe times out after this, counted from its SYN.
    pub timeout: Duration,
    /// Receives the response. If the receiver is dropped before the probe starts, the request is
    /// cancelled.
    pub reply: oneshot::Sender<Response>,
}

/// The response to a request, sent at the end of its probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The probe that decided.
    pub probe: ProbeRecord,
    /// A confirmation probe showed that the first probe's refusal was false (path C).
    pub falsely_refused: bool,
}

/// The sending end. Clones share the queue.
#[derive(Clone, Debug)]
pub struct RequestSender {
    queue: mpsc::Sender<Request>,
    shared: Arc<Shared>,
}

/// The receiving end: a source of probes.
#[derive(Debug)]
pub struct RequestQueue {
    queue: mpsc::Receiver<Request>,
    shared: Arc<Shared>,
}

/// Why a request was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// The queue is full.
    Full,
    /// The event loop has ended.
    Closed,
}

#[derive(Debug)]
struct Shared {
    wakeup: Wakeup,
    /// Requests that were cancelled before their probes started.
    cancelled: AtomicU64,
}

/// Makes a queue for `bound` requests.
///
/// # Errors
/// If the kernel refuses an eventfd.
pub fn channel(bound: usize) -> io::Result<(RequestSender, RequestQueue)> {
    let (sender, receiver) = mpsc::channel(bound.max(1));
    let shared = Arc::new(Shared { wakeup: Wakeup::new()?, cancelled: AtomicU64::new(0) });
    Ok((
        RequestSender { queue: sender, shared: Arc::clone(&shared) },
        RequestQueue { queue: receiver, shared },
    ))
}

impl RequestSender {
    /// Queues a request, if there is room.
    ///
    /// # Errors
    /// The request, and why it was not queued.
    pub fn try_send(&self, request: Request) -> Result<(), (Request, QueueError)> {
        match self.queue.try_send(request) {
            Ok(()) => {
                self.wake();
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(request)) => Err((request, QueueError::Full)),
            Err(mpsc::error::TrySendError::Closed(request)) => Err((request, QueueError::Closed)),
        }
    }

    /// Queues a request, and waits for room if necessary. Needs no runtime.
    ///
    /// # Errors
    /// [`QueueError::Closed`].
    pub async fn send(&self, request: Request) -> Result<(), QueueError> {
        self.queue.send(request).await.map_err(|_| QueueError::Closed)?;
        self.wake();
        Ok(())
    }

    /// Wakes the event loop.
    pub fn wake(&self) {
        self.shared.wakeup.wake();
    }

    /// The number of queued requests.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Requests that were cancelled before their probes started.
    #[must_use]
    pub fn cancelled(&self) -> u64 {
        self.shared.cancelled.load(Ordering::Relaxed)
    }
}

impl RequestQueue {
    /// The next request that has not been cancelled.
    fn next(&mut self) -> Option<Request> {
        while let Ok(request) = self.queue.try_recv() {
            if !request.reply.is_closed() {
                return Some(request);
            }
            self.shared.cancelled.fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    /// The event loop is about to sleep. Returns `false` if it must not, because a request has arrived.
    fn prepare_to_sleep(&self) -> bool {
        self.shared.wakeup.prepare_to_sleep(|| self.queue.is_empty())
    }

    /// The event loop is awake.
    fn wake_up(&self) {
        self.shared.wakeup.on_wake();
    }
}
