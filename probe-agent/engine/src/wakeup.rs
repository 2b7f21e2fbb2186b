//! Wakes an event loop that sleeps in `epoll_wait()` when another thread has queued something for it.
//!
//! An eventfd wakes it. A loop that is awake reads its queue anyway, so that queueing costs no system call then.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::atomic::{AtomicBool, Ordering, fence},
};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::shortage;

/// The wakeup of one queue.
#[derive(Debug)]
pub(crate) struct Wakeup {
    event: EventFd,
    /// The event loop sleeps, or is about to sleep.
    asleep: AtomicBool,
}

impl Wakeup {
    /// A wakeup for an event loop that is awake.
    ///
    /// # Errors
    /// If the kernel refuses an eventfd.
    pub(crate) fn new() -> io::Result<Self> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
            .map_err(io::Error::from);
        let event = event.map_err(shortage::of("eventfd"))?;
        Ok(Self { event, asleep: AtomicBool::new(false) })
    }

    /// Wakes the event loop. The queue has been written before.
    pub(crate) fn wake(&self) {
        // Here the queue is written before the flag is read. In `prepare_to_sleep` the flag is written before
        // the queue is read. So at least one of the two sees the other's write.
        fence(Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst) {
            // It can only fail when the counter has reached its maximum, near 2^64.
            let _ = self.event.write(1);
        }
    }

    /// The event loop is about to sleep. Returns `false` if it must not, because the queue is not empty.
    pub(crate) fn prepare_to_sleep(&self, is_empty: impl FnOnce() -> bool) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        is_empty()
    }

    /// The event loop is awake.
    pub(crate) fn on_wake(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// The descriptor that becomes readable.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
