//! A progress line on stderr for long runs, on a terminal only.

mod line;

use std::{
    io::{self, Write},
    time::Duration,
};

use model::{expect::Expect, human};

pub use self::line::Line;
use super::wrap::cut;

/// Shorter runs need no progress line.
const QUIET_AT_FIRST: Duration = Duration::from_secs(1);
/// Five times per second looks live and costs nothing.
const BETWEEN_DRAWS: Duration = Duration::from_millis(200);

/// The state of a run at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// The moment, in nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// Probes that have ended.
    pub ended: u64,
    /// Probes of the whole run; `None` if it lasts until interrupted.
    pub total: Option<u64>,
    /// What a healthy target does.
    pub expect: Expect,
    /// Ended probes that were alive.
    pub alive: u64,
    /// Targets whose last probe was not as expected, if the run has no end; else `None`.
    pub unexpected_targets: Option<u64>,
    /// Probes in flight.
    pub in_flight: u64,
    /// Probes that have ended and whose settle window has not passed.
    pub settling: u64,
    /// Kernel events that were lost.
    pub events_lost: u64,
}

/// Draws the progress line at most five times per second, and clears it.
#[derive(Debug)]
pub struct Progress<W: Write> {
    line: Line<W>,
    next: Duration,
    /// The base of the rate: a time, and how many probes had ended by then.
    last: Option<(Duration, u64)>,
}

impl Progress<io::Stderr> {
    /// On stderr, if that is a terminal.
    #[must_use]
    pub fn on_stderr() -> Self {
        Self::new(Line::on_stderr())
    }
}

impl<W: Write> Progress<W> {
    fn new(line: Line<W>) -> Self {
        Self { line, next: QUIET_AT_FIRST, last: None }
    }

    /// Whether a snapshot taken now would be drawn. Cheap enough to call often.
    fn is_due(&self, elapsed: Duration) -> bool {
        self.line.room().is_some() && elapsed >= self.next
    }

    /// Draws the line if it is due. Write errors are ignored.
    pub fn draw(&mut self, now: &Snapshot) {
        let Some(room) = self.line.room().filter(|_| self.is_due(now.elapsed)) else { return };
        self.next = now.elapsed + BETWEEN_DRAWS;
        let text = line(now, self.rate(now), room);
        self.line.draw(&text);
    }

    /// Clears the line. Call it before writing anything else to the terminal, and at the end.
    pub fn clear(&mut self) {
        self.line.clear();
    }

    /// Probes per second over about the last second, so a change shows soon.
    fn rate(&mut self, now: &Snapshot) -> f64 {
        let (at, ended) = self.last.unwrap_or_default();
        let since = now.elapsed.saturating_sub(at);
        if since >= Duration::from_secs(2) {
            // Move the base to the middle of the interval, roughly: this needs no history.
            self.last = Some((at + since / 2, ended + now.ended.saturating_sub(ended) / 2));
        }
        now.ended.saturating_sub(ended) as f64 / since.as_secs_f64().max(0.001)
    }
}

/// `1,200 of 100,000 probes (1.2 %)  9,800/s  10 failed  1,190 alive  256 in flight`: as many parts as fit
/// into `width`, the most important first.
fn line(now: &Snapshot, rate: f64, width: usize) -> String {
    let mut text = match now.total {
        Some(total) => format!(
            "{} of {} ({})",
            human::count(now.ended),
            human::counted(total, "probe"),
            human::share(now.ended, total)
        ),
        None => human::counted(now.ended, "probe"),
    };
    let done = now.total.is_some_and(|total| now.ended >= total);
    let mut parts = figures(now, Some(rate).filter(|_| !done));
    for (count, what) in [(now.in_flight, "in flight"), (now.settling, "settling")] {
        if count > 0 {
            parts.push(format!("{} {what}", human::count(count)));
        }
    }
    for part in parts {
        if text.len() + 2 + part.len() <= width {
            text.push_str(&format!("  {part}"));
        }
    }
    cut(&text, width)
}

/// The figures of a moment, the most important first.
pub(super) fn figures(now: &Snapshot, rate: Option<f64>) -> Vec<String> {
    let other = now.ended.saturating_sub(now.alive);
    // Where a refusal is expected, a probe that is not alive has not failed.
    let [bad, good] = match now.expect {
        Expect::Open => [(other, "failed"), (now.alive, "alive")],
        Expect::Closed => [(now.alive, "alive"), (other, "not alive")],
    };
    let counted = |(count, what)| format!("{} {what}", human::count(count));
    let mut parts: Vec<String> = rate.map(human::rate).into_iter().collect();
    if let Some(targets) = now.unexpected_targets.filter(|count| *count > 0) {
        parts.push(format!("{} not as expected", human::counted(targets, "target")));
    }
    parts.push(counted(bad));
    if now.events_lost > 0 {
        parts.push(counted((now.events_lost, "events lost")));
    }
    parts.push(counted(good));
    parts
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Expect, Line, Progress, Snapshot, line};

    fn at(ms: u64, ended: u64) -> Snapshot {
        Snapshot {
            elapsed: Duration::from_millis(ms),
            at: ms * 1_000_000,
            ended,
            total: Some(10_000),
            expect: Expect::Open,
            alive: ended - 3,
            unexpected_targets: None,
            in_flight: 256,
            settling: 1_500,
            events_lost: 0,
        }
    }

    #[test]
    fn the_line() {
        assert_eq!(
            line(&at(2_000, 2_000), 1_000.0, 120),
            "2,000 of 10,000 probes (20.0 %)  1,000/s  3 failed  1,997 alive  256 in flight  \
             1,500 settling"
        );
        assert_eq!(
            line(&at(2_000, 2_000), 1_000.0, 66),
            "2,000 of 10,000 probes (20.0 %)  1,000/s  3 failed  1,997 alive"
        );
        let end = Snapshot { in_flight: 0, events_lost: 7, ..at(9_000, 10_000) };
        assert_eq!(
            line(&end, 0.0, 120),
            "10,000 of 10,000 probes (100 %)  3 failed  7 events lost  9,997 alive  1,500 settling"
        );
        let forever = Snapshot { total: None, settling: 0, in_flight: 0, ..at(2_000, 5) };
        assert_eq!(line(&forever, 2.5, 80), "5 probes  2.5/s  3 failed  2 alive");
        let down = Snapshot { unexpected_targets: Some(1), ..forever };
        let text = "5 probes  2.5/s  1 target not as expected  3 failed  2 alive";
        assert_eq!(line(&down, 2.5, 80), text);
        let closed = Snapshot { expect: Expect::Closed, ..forever };
        assert_eq!(line(&closed, 2.5, 80), "5 probes  2.5/s  2 alive  3 not alive");
    }

    #[test]
    fn drawn_when_due_and_cleared() {
        let mut out = Vec::new();
        let mut progress = Progress::new(Line::new(&mut out, Some(20)));
        progress.draw(&at(500, 10));
        progress.clear();
        progress.draw(&at(1_000, 10));
        progress.draw(&at(1_100, 20));
        progress.clear();
        progress.clear();
        let seen = String::from_utf8(out).unwrap();
        assert_eq!(seen, "\r\x1b[K10 of 10,000 prob..\r\x1b[K");
    }

    #[test]
    fn never_without_a_terminal() {
        let mut out = Vec::new();
        let mut progress = Progress::new(Line::new(&mut out, None));
        assert!(!progress.is_due(Duration::from_secs(9)));
        progress.draw(&at(9_000, 10));
        progress.clear();
        assert!(out.is_empty());
    }

    #[test]
    fn the_rate_follows_a_change() {
        let mut progress = Progress::new(Line::new(Vec::new(), Some(80)));
        assert!((progress.rate(&at(1_000, 1_000)) - 1_000.0).abs() < 1.0);
        let _ = progress.rate(&at(4_000, 4_000));
        // From (2 s, 2,000) on, nothing more ended.
        assert!(progress.rate(&at(10_000, 4_000)) < 300.0);
    }
}
