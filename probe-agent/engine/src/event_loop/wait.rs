//! Waits for answers, until the next thing is due.

use std::{io, os::fd::BorrowedFd, sync::atomic::Ordering, time::Duration};

use kernel::monotonic;
use model::duration::nanos;
use nix::{
    errno::Errno,
    sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout},
};

use super::EventLoop;
use crate::{shortage, source::Source};

/// The shortest wait for a probe that is settled as soon as the watermark has passed.
const SETTLE_TICK: Duration = Duration::from_millis(10);

/// How long the reader of kernel events takes for one read, in nanoseconds.
const READ_TIME: u64 = 1_000_000;

/// So many probes may make the reader look at the end of a run: each look disturbs whatever runs there.
const FEW: usize = 16;

/// The longest wait. A stop is noticed within this time, and late events stay in the inbox for at most
/// this long.
const IDLE_TICK: Duration = Duration::from_millis(100);

/// The epoll data of the source's wakeup: not the index of any slot.
const WAKEUP: u64 = u64::MAX;

/// The epoll instance of a worker, with the wakeup of its source.
///
/// # Errors
/// If the kernel refuses it.
pub(super) fn epoll(wakeup: Option<BorrowedFd<'_>>) -> io::Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(io::Error::from);
    let epoll = epoll.map_err(shortage::of("epoll instance"))?;
    if let Some(wakeup) = wakeup {
        // Edge-triggered: each write causes an edge, so nothing has to be read.
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        epoll.add(wakeup, EpollEvent::new(flags, WAKEUP))?;
    }
    Ok(epoll)
}

impl<S: Source> EventLoop<S> {
    /// Waits for answers, until the next thing is due at the latest, and ends the answered probes.
    pub(super) fn wait_for_answers(
        &mut self,
        events: &mut [EpollEvent],
        has_room: bool,
    ) -> io::Result<()> {
        let timeout = if self.may_sleep() { self.timeout(has_room) } else { EpollTimeout::ZERO };
        let ready = self.epoll.wait(events, timeout);
        self.source.on_wake();
        let ready = match ready {
            Err(Errno::EINTR) => 0,
            other => other?,
        };
        if ready > 0 {
            self.now = monotonic::now();
        }
        for event in events.iter().take(ready) {
            // The wakeup is not a slot.
            let Ok(slot) = u32::try_from(event.data()) else { continue };
            let failed = event.events().intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP);
            self.on_answer(slot, failed);
        }
        Ok(())
    }

    /// Whether the loop may sleep: the source then wakes it.
    fn may_sleep(&self) -> bool {
        // While the in-flight limit is reached, the source need not wake the loop.
        self.flights.len() >= self.in_flight_limit.at(self.now)
            || (self.source.may_sleep() && !self.stop.load(Ordering::SeqCst))
    }

    /// Whether a few probes have yet to be settled, and nothing else is left to do.
    fn is_ending(&self) -> bool {
        self.source.is_exhausted()
            && self.flights.len() == 0
            && self.start_queue.is_empty()
            && self.correlator.len() <= FEW
    }

    /// How long the next wait may take. While the sink has no room, no start is due.
    fn timeout(&mut self, has_room: bool) -> EpollTimeout {
        let now = self.now;
        let after = |tick| now + nanos(tick);
        let due = self.correlator.next_due();
        let last = due.filter(|_| self.is_ending());
        let mut until = match (last.and_then(|due| self.observer.hasten(due, now)), due) {
            (Some(hastened), _) => (hastened.max(now) + READ_TIME).min(after(IDLE_TICK)),
            (None, Some(due)) => {
                let reported = self.observer.reported_by(due) + READ_TIME;
                reported.clamp(after(SETTLE_TICK), after(IDLE_TICK))
            }
            (None, None) => after(IDLE_TICK),
        };
        if let Some(deadline) = self.deadlines.next() {
            until = until.min(deadline);
        }
        if !has_room {
            until = until.min(after(SETTLE_TICK));
        } else if self.flights.len() < self.in_flight_limit.at(self.now) {
            let confirmation = self.start_queue.has_confirmation().then_some(self.now);
            until = confirmation.or(self.source.next_due()).map_or(until, |due| until.min(due));
        }
        // Rounded up: a wait that ended a little early would turn into a busy loop.
        let millis = until.saturating_sub(self.now).div_ceil(1_000_000);
        EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::ZERO)
    }
}
