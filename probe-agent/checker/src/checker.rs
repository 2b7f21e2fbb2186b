//! The handle of a running checker.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{CheckError, Report, Stats, Support, block};
use engine::{
    gauges::Gauges,
    requests::{QueueError, Request, RequestSender, Response},
    runtime::Runtime,
};
use kernel::{monotonic, reader::Progress};

/// Checks TCP addresses with half a handshake.
///
/// A `Checker` is a handle: clones share one worker, which stops when the last clone is dropped.
#[derive(Clone)]
pub struct Checker(pub(crate) Arc<Inner>);

/// What all clones share.
pub(crate) struct Inner {
    pub(crate) requests: RequestSender,
    pub(crate) guard: Support,
    pub(crate) tracing: Support,
    pub(crate) gauges: Arc<Gauges>,
    pub(crate) progress: Option<Arc<Progress>>,
    pub(crate) hook_panics: Arc<AtomicU64>,
    /// Checks that found the queue full.
    pub(crate) queue_full: AtomicU64,
    pub(crate) stop: Arc<AtomicBool>,
    /// `None` once it has ended.
    pub(crate) runtime: Mutex<Option<Runtime<()>>>,
}

impl Checker {
    /// Checks an address: SYN, SYN-ACK, RST. The report is available as soon as the probe has ended.
    ///
    /// The timeout counts from the SYN: a busy host does not make a healthy backend look dead. The time
    /// before that is [`Report::waited`]. When the queue is full, the future waits for room first. It
    /// may be dropped at any time: a probe that has not started is cancelled, and a probe in flight ends
    /// by itself. Nothing is queued before the first poll.
    ///
    /// # Errors
    /// [`CheckError::Stopped`] if the worker has ended. Whatever the network or this host did to the
    /// probe is not an error but an [`Outcome`](crate::Outcome).
    pub async fn check(
        &self,
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<Report, CheckError> {
        let check = Check::new(address, timeout);
        match self.0.requests.try_send(check.request) {
            Ok(()) => {}
            Err((request, QueueError::Full)) => {
                self.0.queue_full.fetch_add(1, Ordering::Relaxed);
                self.0.requests.send(request).await.map_err(|_| CheckError::Stopped)?;
            }
            Err((_, QueueError::Closed)) => return Err(CheckError::Stopped),
        }
        check.report.receive(address).await
    }

    /// As [`Self::check`], but fails when the queue is full.
    ///
    /// # Errors
    /// [`CheckError::QueueFull`], at once, if there is no room; else as [`Self::check`].
    pub async fn try_check(
        &self,
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<Report, CheckError> {
        let check = Check::new(address, timeout);
        self.0.requests.try_send(check.request).map_err(|(_, error)| match error {
            QueueError::Full => {
                self.0.queue_full.fetch_add(1, Ordering::Relaxed);
                CheckError::QueueFull
            }
            QueueError::Closed => CheckError::Stopped,
        })?;
        check.report.receive(address).await
    }

    /// As [`Self::check`], for threads: blocks the calling thread. Do not call it in an async task.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_blocking(
        &self,
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<Report, CheckError> {
        block::on(self.check(address, timeout))
    }

    /// Whether the ACK guard is attached. With it, no check can complete a handshake.
    #[must_use]
    pub fn guard(&self) -> &Support {
        &self.0.guard
    }

    /// Whether kernel events are received. Without them, times are measured in userspace and verdicts
    /// are inferred.
    #[must_use]
    pub fn tracing(&self) -> &Support {
        &self.0.tracing
    }

    /// What the checker has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let gauges = &self.0.gauges;
        Stats {
            ended: of(&gauges.ended),
            alive: of(&gauges.alive),
            in_flight: of(&gauges.in_flight),
            settling: of(&gauges.settling),
            queued: self.0.requests.queued() as u64,
            queue_full: of(&self.0.queue_full),
            cancelled: self.0.requests.cancelled(),
            confirmation_probes: of(&gauges.confirmations),
            events_lost: self.0.progress.as_ref().map_or(0, |p| p.lost()),
            hook_panics: of(&self.0.hook_panics),
        }
    }

    /// Stops the checker for all clones and blocks until its threads have ended, the eBPF programs are
    /// unloaded and the process has left the child cgroup. Checks that have no report yet, and later
    /// ones, fail with [`CheckError::Stopped`].
    ///
    /// Dropping the last clone does the same and discards the error. A second call does nothing, and does
    /// not wait for the first one. In the hook of [`Builder::on_settled`](crate::Builder::on_settled), which runs on the worker's own
    /// thread, it does not block.
    ///
    /// # Errors
    /// The system call that ended the worker early, if one did.
    pub fn shutdown(&self) -> io::Result<()> {
        self.0.shutdown()
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { guard, tracing, .. } = &*self.0;
        let mut shown = f.debug_struct("Checker");
        shown.field("guard", guard).field("tracing", tracing).finish_non_exhaustive()
    }
}

impl Inner {
    fn shutdown(&self) -> io::Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        self.requests.wake();
        let runtime = {
            let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
            // The worker's thread cannot wait for its own end. It gets here from the hook, and where a
            // task that it wakes drops the last clone.
            if runtime.as_ref().is_some_and(Runtime::is_current_thread) {
                return Ok(());
            }
            runtime.take()
        };
        // Not under the lock: the hook may call this while the worker is waited for.
        runtime.and_then(|runtime| runtime.join().failure).map_or(Ok(()), Err)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Whoever wants the error calls `Checker::shutdown`.
        let _ = self.shutdown();
    }
}

/// A check before it is queued.
struct Check {
    request: Request,
    report: PendingReport,
}

/// The other end of a request.
struct PendingReport {
    response: oneshot::Receiver<Response>,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    asked_at: u64,
}

impl Check {
    fn new(address: SocketAddr, timeout: Duration) -> Self {
        let (reply, response) = oneshot::channel();
        let request = Request { address, timeout, reply };
        Self { request, report: PendingReport { response, asked_at: monotonic::now() } }
    }
}

impl PendingReport {
    async fn receive(self, address: SocketAddr) -> Result<Report, CheckError> {
        let response = self.response.await.map_err(|_| CheckError::Stopped)?;
        Ok(Report::new(address, self.asked_at, &response))
    }
}
