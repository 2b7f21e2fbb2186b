//! Targets that are added, changed and removed while they are probed.
//!
//! Commands reach a worker over a bounded queue with a wakeup. A turn of the event loop takes in a batch of them, so
//! that thousands of new targets delay no probe that is due. A target keeps its schedule, its slots and its
//! probes while others change. A removed target is probed no more; what is in flight or settling is still reported,
//! and then its id ([`Sink::removed`](crate::event_loop::Sink::removed)).

mod source;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use kernel::monotonic;
use model::{expect::Expect, target::TargetId};
use tokio::sync::mpsc;

pub use self::source::LiveTarget;
use crate::{
    names::Unresolved,
    pacing::{Jitter, Pacing, RateLimits},
    schedule::Schedule,
    wakeup::Wakeup,
};

/// How a target is probed and judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbePolicy {
    /// The time between two probes.
    pub interval: Duration,
    /// A probe without an answer times out after this.
    pub timeout: Duration,
    /// What a healthy target does.
    pub expect: Expect,
}

/// A change of what a worker probes. A command about a target that the worker does not have has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Probe a target.
    Add {
        /// Its id: one that no worker of the runtime has, or had and has not reported as removed.
        target: TargetId,
        /// Where the SYN goes.
        address: SocketAddr,
        /// Why the target has no address, so that each of its probes fails on this host; `None` if it has one.
        unresolved: Option<Unresolved>,
        /// How it is probed and judged.
        policy: ProbePolicy,
        /// The time until its first probe.
        first_delay: Duration,
    },
    /// Probe a target no more.
    Remove(TargetId),
    /// Probe and judge a target in another way from now on. Its next probe is due one interval after its last.
    Replace {
        /// The target.
        target: TargetId,
        /// How it is probed and judged.
        policy: ProbePolicy,
    },
    /// Probe a target at another interval from now on. Its next probe is due one interval after its last.
    SetInterval {
        /// The target.
        target: TargetId,
        /// The time between two probes.
        interval: Duration,
    },
    /// Start no more probes. The worker ends when all are settled.
    Stop,
}

/// Why a command was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The queue is full: the worker takes commands in soon.
    Full,
    /// The worker has ended.
    Closed,
}

/// The rate limits that several workers share.
#[derive(Clone, Debug, Default)]
pub struct SharedLimits(Arc<RateLimits>);

impl SharedLimits {
    /// The limits of a pacing; nothing else of it is used.
    #[must_use]
    pub fn new(pacing: &Pacing) -> Self {
        Self(Arc::new(RateLimits::new(pacing, &[].into())))
    }
}

/// The sending end. When all clones of it are dropped, the worker stops as by [`Command::Stop`].
#[derive(Clone, Debug)]
pub struct CommandSender {
    queue: mpsc::Sender<Command>,
    wakeup: Arc<Wakeup>,
}

/// The receiving end: a source of probes.
#[derive(Debug)]
pub struct LiveTargets {
    queue: mpsc::Receiver<Command>,
    wakeup: Arc<Wakeup>,
    limits: SharedLimits,
    schedule: Schedule,
    is_stopped: bool,
    /// Targets that were removed, and have no probe left that is not settled.
    removed: Vec<TargetId>,
}

/// Makes a queue for `bound` commands, and a source without targets. `seed` is that of the jitter.
///
/// # Errors
/// If the kernel refuses an eventfd.
pub fn channel(
    bound: usize,
    limits: SharedLimits,
    jitter: Jitter,
    seed: u64,
) -> io::Result<(CommandSender, LiveTargets)> {
    let (sender, receiver) = mpsc::channel(bound.max(1));
    let wakeup = Arc::new(Wakeup::new()?);
    let schedule = Schedule::empty(Arc::clone(&limits.0), jitter, seed, monotonic::now());
    Ok((
        CommandSender { queue: sender, wakeup: Arc::clone(&wakeup) },
        LiveTargets {
            queue: receiver,
            wakeup,
            limits,
            schedule,
            is_stopped: false,
            removed: Vec::new(),
        },
    ))
}

impl CommandSender {
    /// Queues a command, if there is room.
    ///
    /// # Errors
    /// The command, and why it was not queued.
    pub fn try_send(&self, command: Command) -> Result<(), (Command, CommandError)> {
        match self.queue.try_send(command) {
            Ok(()) => {
                self.wakeup.wake();
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(command)) => Err((command, CommandError::Full)),
            Err(mpsc::error::TrySendError::Closed(command)) => Err((command, CommandError::Closed)),
        }
    }
}

impl Drop for CommandSender {
    fn drop(&mut self) {
        // A worker that sleeps sees the closed queue at the end of its longest wait at the latest.
        self.wakeup.wake();
    }
}

#[cfg(test)]
mod tests;
