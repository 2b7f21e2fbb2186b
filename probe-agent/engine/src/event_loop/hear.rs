//! Waiting for answers, for as long as nothing else is due.

use std::{io, time::Duration};

use nix::sys::epoll::{EpollEvent, EpollFlags, EpollTimeout};

use super::Engine;
use kernel::monotonic;
use model::duration::nanos;

/// How long a turn waits at least for a probe that is settled as soon as the watermark says so.
const SETTLE_TICK: Duration = Duration::from_millis(10);

/// What a look of the reader takes, in nanoseconds.
const LOOK: u64 = 1_000_000;

/// How long a turn waits at most: a stop is noticed within this, and for so long late events lie in the
/// inbox.
const IDLE_TICK: Duration = Duration::from_millis(100);

impl Engine {
    /// Waits for answers, no longer than until the next thing is due, and ends what was answered.
    pub(super) fn hear(&mut self, events: &mut [EpollEvent], has_room: bool) -> io::Result<()> {
        let patience = if self.may_sleep() { self.patience(has_room) } else { EpollTimeout::ZERO };
        let waited = self.epoll.wait(events, patience);
        self.is_awake();
        let heard = match waited {
            Ok(heard) => heard,
            Err(nix::errno::Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        if heard > 0 {
            self.now = monotonic::now();
        }
        for event in &events[..heard] {
            let slot = u32::try_from(event.data()).unwrap_or(u32::MAX);
            let failed = event.events().intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP);
            self.answered(slot, failed);
        }
        Ok(())
    }

    /// How long the next wait may take. Without room for what ends, nothing is due to start.
    fn patience(&self, has_room: bool) -> EpollTimeout {
        let after = |tick| self.now + nanos(tick);
        let mut until = match self.settling.next_due() {
            Some(due) => (self.told_by(due) + LOOK).clamp(after(SETTLE_TICK), after(IDLE_TICK)),
            None => after(IDLE_TICK),
        };
        if let Some(deadline) = self.deadlines.next() {
            until = until.min(deadline);
        }
        if !has_room {
            until = until.min(after(SETTLE_TICK));
        } else if self.flying < self.ceiling.at(self.now) {
            let second = (!self.second.is_empty()).then_some(self.now);
            until = second.or(self.schedule.next_due()).map_or(until, |due| until.min(due));
        }
        // Rounded up: a wait that ends a little early would turn into a busy one.
        let millis = until.saturating_sub(self.now).div_ceil(1_000_000);
        EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::ZERO)
    }
}
