//! A checker to embed: half-open health checks for any Rust program.
//!
//! One [`Checker`] serves a whole program: it is cheap to clone, and clones may be used from any number
//! of tasks and threads at once. A thread of its own does the probing, so that no async runtime is
//! needed; [`Checker::check`] is a plain future that any runtime can wait for, and
//! [`Checker::check_blocking`] is for threads.
//!
//! ```
//! use std::{net::TcpListener, time::Duration};
//! use probe_agent_checker::{Checker, Outcome};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = TcpListener::bind("127.0.0.1:0")?;
//! let checker = Checker::builder().slots(64).build()?;
//! let report = checker.check_blocking(backend.local_addr()?, Duration::from_secs(1))?;
//! assert_eq!(report.outcome, Outcome::Alive);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does to its host
//!
//! - It starts one thread that probes and, where the kernel's events can be had, one that reads them.
//!   They block all signals, install no handlers and write nothing to stderr.
//! - With the **ACK guard** (see [`Builder::ack_guard`]) the process is moved into a child of the cgroup
//!   that it is in, until the last checker of the process is dropped: the guard is a `cgroup_skb/egress`
//!   program that stands there. Limits of the parent hold for the child as well. The program looks at
//!   every packet that the process sends and lets all pass but the bare ACKs of probes. Sockets keep
//!   the cgroup that they were made in.
//! - A socket and a source port for each slot, made when first needed. The limit of open files is left
//!   as it is.
//!
//! Without privileges it checks all the same; then [`Checker::guard`] and [`Checker::tracing`] say what
//! is missing, and [`Builder::require_half_open`] makes that an error.

mod block;
mod builder;
mod error;
mod report;
mod stats;
mod support;
mod worker;

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::oneshot;

pub use self::{
    builder::Builder,
    error::{BuildError, CheckError, NoGuard},
    report::Report,
    stats::Stats,
    support::Support,
};
use engine::{
    event_loop::Gauges,
    requests::{Answer, Refused, Request, Requests},
};
pub use explain::ExplainedProbe;
use kernel::{monotonic, reader::Progress};
pub use model::{outcome::Outcome, record::ProbeId};

/// Checks TCP addresses with half a handshake. Clones share one worker; the last one to be dropped
/// stops it.
#[derive(Clone)]
pub struct Checker(Arc<Inner>);

struct Inner {
    requests: Requests,
    guard: Support,
    tracing: Support,
    gauges: Arc<Gauges>,
    progress: Option<Arc<Progress>>,
    hook_panics: Arc<AtomicU64>,
    /// Checks that found the queue full.
    queue_full: AtomicU64,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Checker {
    /// A checker to be built, with the defaults that [`Builder`] names.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Checks an address: SYN, SYN-ACK, RST. The report comes as soon as the probe has ended.
    ///
    /// `timeout` is counted from the SYN, so that a busy host does not make a healthy backend look
    /// dead; what the check waited before is in [`Report::waited`]. Where the queue is full, the
    /// future waits for room first. It may be dropped at any time: a probe that has not started is
    /// left out, one in flight ends by itself.
    ///
    /// # Errors
    /// [`CheckError::Stopped`] if the worker has ended. Whatever the network or this host did is no
    /// error but an [`Outcome`].
    pub async fn check(
        &self,
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<Report, CheckError> {
        let check = Check::new(address, timeout);
        match self.0.requests.try_ask(check.request) {
            Ok(()) => {}
            Err((request, Refused::Full)) => {
                self.0.queue_full.fetch_add(1, Ordering::Relaxed);
                self.0.requests.ask(request).await.map_err(|_| CheckError::Stopped)?;
            }
            Err((_, Refused::Closed)) => return Err(CheckError::Stopped),
        }
        self.report(address, check.asked_at, check.answer).await
    }

    /// As [`Self::check`], but does not wait for room in the queue.
    ///
    /// # Errors
    /// [`CheckError::QueueFull`], at once, if there is none; else as [`Self::check`].
    pub async fn try_check(
        &self,
        address: SocketAddr,
        timeout: Duration,
    ) -> Result<Report, CheckError> {
        let check = Check::new(address, timeout);
        self.0.requests.try_ask(check.request).map_err(|(_, refused)| match refused {
            Refused::Full => {
                self.0.queue_full.fetch_add(1, Ordering::Relaxed);
                CheckError::QueueFull
            }
            Refused::Closed => CheckError::Stopped,
        })?;
        self.report(address, check.asked_at, check.answer).await
    }

    /// As [`Self::check`], for threads: blocks the calling one.
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

    /// Whether the ACK guard stands, so that no check can complete a handshake.
    #[must_use]
    pub fn guard(&self) -> &Support {
        &self.0.guard
    }

    /// Whether the kernel tells of the probes: without it, times and verdicts are userspace's.
    #[must_use]
    pub fn tracing(&self) -> &Support {
        &self.0.tracing
    }

    /// What the checker has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let gauges = &self.0.gauges;
        Stats {
            ended: of(&gauges.ended),
            alive: of(&gauges.alive),
            in_flight: of(&gauges.under_way),
            settling: of(&gauges.settling),
            queued: self.0.requests.waiting() as u64,
            queue_full: of(&self.0.queue_full),
            given_up: self.0.requests.given_up(),
            second_opinions: of(&gauges.confirmations),
            events_lost: self.0.progress.as_ref().map_or(0, |p| p.lost()),
            hook_panics: of(&self.0.hook_panics),
        }
    }

    async fn report(
        &self,
        address: SocketAddr,
        asked_at: u64,
        answer: oneshot::Receiver<Answer>,
    ) -> Result<Report, CheckError> {
        let answer = answer.await.map_err(|_| CheckError::Stopped)?;
        Ok(Report::new(address, asked_at, &answer))
    }
}

impl fmt::Debug for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { guard, tracing, .. } = &*self.0;
        let mut shown = f.debug_struct("Checker");
        shown.field("guard", guard).field("tracing", tracing).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.requests.ring();
        let Some(thread) = self.thread.take() else { return };
        // The worker itself drops the last clone where a task that it wakes does: it ends by itself.
        if thread.thread().id() != thread::current().id() {
            // A panic of the worker has been told to whoever waited, as `CheckError::Stopped`.
            let _ = thread.join();
        }
    }
}

/// One check before it is asked for.
struct Check {
    request: Request,
    answer: oneshot::Receiver<Answer>,
    /// Nanoseconds of `CLOCK_MONOTONIC`.
    asked_at: u64,
}

impl Check {
    fn new(address: SocketAddr, timeout: Duration) -> Self {
        let (tell, answer) = oneshot::channel();
        let request = Request { address, timeout, answer: tell };
        Self { request, answer, asked_at: monotonic::now() }
    }
}
