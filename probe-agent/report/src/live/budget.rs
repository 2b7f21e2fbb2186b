//! How much may be printed: when a network fails, all of 100,000 targets change at once.

/// The most changes and unusual probes that are printed in one window.
const MOST: u64 = 20;
/// The length of a window, in nanoseconds: a terminal full of lines in this time can still be read.
const WINDOW: u64 = 10_000_000_000;

/// Counts what is printed and what is left out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Budget {
    until: u64,
    printed: u64,
    left_out: u64,
}

impl Budget {
    /// Whether something that happened `at` may be printed, in nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) fn takes(&mut self, at: u64) -> bool {
        if at >= self.until {
            self.until = at + WINDOW;
            self.printed = 0;
        }
        let takes = self.printed < MOST;
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
