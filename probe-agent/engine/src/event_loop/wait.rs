//! Waiting for answers, for as long as nothing else is due.

use std::{io, os::fd::BorrowedFd, sync::atomic::Ordering, time::Duration};

use kernel::monotonic;
use model::duration::nanos;
use nix::{
    errno::Errno,
    sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
};

use super::EventLoop;
use crate::work::Source;

/// How long a turn waits at least for a probe that is settled as soon as the watermark says so.
const SETTLE_TICK: Duration = Duration::from_millis(10);

/// What a look of the reader takes, in nanoseconds.
const LOOK: u64 = 1_000_000;

/// How long a turn waits at most: a stop is noticed within this time, and late events lie in the inbox
/// for this long.
const IDLE_TICK: Duration = Duration::from_millis(100);

/// What epoll reports for the source's wakeup: the number of no slot.
const WAKEUP: u64 = u64::MAX;

/// The epoll instance of a worker.
pub(super) struct Poller {
    pub(super) epoll: Epoll,
}

impl Poller {
    /// # Errors
    /// If the kernel gives no epoll instance.
    pub(super) fn new(wakeup: Option<BorrowedFd<'_>>) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        if let Some(wakeup) = wakeup {
            // An edge for each write: nothing has to be read.
            let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
            epoll.add(wakeup, EpollEvent::new(flags, WAKEUP))?;
        }
        Ok(Self { epoll })
    }

    /// Waits; an interrupted wait has no events.
    fn wait(&self, events: &mut [EpollEvent], timeout: EpollTimeout) -> io::Result<usize> {
        match self.epoll.wait(events, timeout) {
            Err(Errno::EINTR) => Ok(0),
            other => Ok(other?),
        }
    }
}

impl<S: Source> EventLoop<S> {
    /// Waits for answers, no longer than until the next thing is due, and ends the answered probes.
    pub(super) fn wait_for_answers(
        &mut self,
        events: &mut [EpollEvent],
        has_room: bool,
    ) -> io::Result<()> {
        let timeout = if self.may_sleep() { self.patience(has_room) } else { EpollTimeout::ZERO };
        let ready = self.poller.wait(events, timeout);
        self.source.on_wake();
        let ready = ready?;
        if ready > 0 {
            self.now = monotonic::now();
        }
        for event in &events[..ready] {
            // The wakeup's number is that of no slot.
            let Ok(slot) = u32::try_from(event.data()) else { continue };
            let failed = event.events().intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP);
            self.on_answer(slot, failed);
        }
        Ok(())
    }

    /// Whether the loop may sleep: the source then wakes it.
    fn may_sleep(&self) -> bool {
        // While no probe may be started, the source need not wake it.
        self.flights.len() >= self.limit.at(self.now)
            || (self.source.may_sleep() && !self.stop.load(Ordering::SeqCst))
    }

    /// How long the next wait may take. Without room for what ends, nothing is due to start.
    fn patience(&self, has_room: bool) -> EpollTimeout {
        let after = |tick| self.now + nanos(tick);
        let mut until = match self.correlator.next_due() {
            Some(due) => {
                let reported = self.observer.reported_by(due) + LOOK;
                reported.clamp(after(SETTLE_TICK), after(IDLE_TICK))
            }
            None => after(IDLE_TICK),
        };
        if let Some(deadline) = self.deadlines.next() {
            until = until.min(deadline);
        }
        if !has_room {
            until = until.min(after(SETTLE_TICK));
        } else if self.flights.len() < self.limit.at(self.now) {
            let confirmation = self.waiting.has_confirmation().then_some(self.now);
            until = confirmation.or(self.source.next_due()).map_or(until, |due| until.min(due));
        }
        // Rounded up: a wait that ends a little early would turn into a busy one.
        let millis = until.saturating_sub(self.now).div_ceil(1_000_000);
        EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::ZERO)
    }
}
