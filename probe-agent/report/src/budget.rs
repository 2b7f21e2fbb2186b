//! How much may be printed in a time: when a network fails, all of 100,000 targets change at once.

/// Counts what is printed and what is left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    most: u64,
    /// In nanoseconds.
    window: u64,
    until: u64,
    printed: u64,
    left_out: u64,
}

impl Budget {
    /// At most `most` in each `window`, in nanoseconds.
    pub(super) const fn new(most: u64, window: u64) -> Self {
        Self { most, window, until: 0, printed: 0, left_out: 0 }
    }

    /// Whether something that happened `at` may be printed, in nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) fn takes(&mut self, at: u64) -> bool {
        if at >= self.until {
            self.until = at.saturating_add(self.window);
            self.printed = 0;
        }
        let takes = self.printed < self.most;
        if takes {
            self.printed += 1;
        } else {
            self.left_out += 1;
        }
        takes
    }

    /// How much was left out since the last call, if anything was.
    pub(super) fn left_out(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.left_out)).filter(|count| *count > 0)
    }
}
