//! How far the reader has come, and what was lost until then.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use model::duration::nanos;
use nix::sys::eventfd::EventFd;

use super::watermark::COMMIT_SLACK;
use crate::lost_events::Lost;

/// What the reader shares with the workers.
#[derive(Debug)]
pub struct Progress {
    /// At most so many nanoseconds lie between two looks: the grain of the watermark.
    tick: u64,
    /// Every event up to this time (nanoseconds of `CLOCK_MONOTONIC`) is in the inboxes.
    watermark: AtomicU64,
    /// Lost events of which it is known whose they were.
    lost_of_slots: AtomicU64,
    /// Lost events of which it is not known whose they were.
    lost_of_anybody: AtomicU64,
    /// Wakes the reader.
    pub(super) wakeup: EventFd,
    /// The reader is to end.
    pub(super) stop: AtomicBool,
}

impl Progress {
    pub(super) fn new(tick: Duration, wakeup: EventFd) -> Self {
        Self {
            tick: nanos(tick),
            watermark: AtomicU64::default(),
            lost_of_slots: AtomicU64::default(),
            lost_of_anybody: AtomicU64::default(),
            wakeup,
            stop: AtomicBool::default(),
        }
    }

    /// Every event up to this time (nanoseconds of `CLOCK_MONOTONIC`) is in its worker's inbox.
    #[must_use]
    pub fn watermark(&self) -> u64 {
        self.watermark.load(Ordering::Acquire)
    }

    /// When the reader's next look is to bring the watermark to `time` or beyond, in nanoseconds of
    /// `CLOCK_MONOTONIC`; in the past where that look is overdue.
    #[must_use]
    pub fn look_after(&self, time: u64) -> u64 {
        let last = self.watermark() + COMMIT_SLACK;
        let looks = time.saturating_add(COMMIT_SLACK).saturating_sub(last).div_ceil(self.tick);
        last.saturating_add(looks.max(1).saturating_mul(self.tick))
    }

    /// When a look can bring the watermark to `time` at the earliest.
    #[must_use]
    pub const fn earliest_look(&self, time: u64) -> u64 {
        time.saturating_add(COMMIT_SLACK)
    }

    /// Makes the reader look now, for a worker that waits for nothing else.
    pub fn look_now(&self) {
        // Fails only while the reader has yet to notice 2^64 - 2 wakes.
        let _ = self.wakeup.write(1);
    }

    /// Events lost on the way from the hook to the inbox.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost_of_slots() + self.lost_of_anybody()
    }

    /// Of those, the ones that the kernel's records of slots, and [`Tracer::has_lost_since`], attribute to
    /// probes.
    ///
    /// [`Tracer::has_lost_since`]: crate::loader::Tracer::has_lost_since
    #[must_use]
    pub fn lost_of_slots(&self) -> u64 {
        self.lost_of_slots.load(Ordering::Acquire)
    }

    /// Of those, the ones of which it is not known whose they were.
    #[must_use]
    pub fn lost_of_anybody(&self) -> u64 {
        self.lost_of_anybody.load(Ordering::Acquire)
    }

    /// Stores the result of a look. The watermark comes last: who sees it also sees what was lost until
    /// then.
    pub(super) fn store(&self, lost: Lost, watermark: Option<u64>) {
        self.lost_of_slots.store(lost.of_slots, Ordering::Release);
        self.lost_of_anybody.store(lost.of_anybody, Ordering::Release);
        if let Some(watermark) = watermark {
            self.watermark.store(watermark, Ordering::Release);
        }
    }
}
