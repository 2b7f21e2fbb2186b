//! What is reported about names: a line when some stop resolving, and a line when they do again.
//!
//! All names fail at once if a name server does, so names are reported together.

use std::time::{Duration, Instant};

use model::human::counted;
use tracing::{info, warn};

/// How long a line waits for others.
const GATHER: Duration = Duration::from_secs(1);

/// The time between two lines.
const PAUSE: Duration = Duration::from_secs(10);

/// What is to be reported.
#[derive(Debug, Default)]
pub(super) struct Notices {
    /// One of the names that have failed: its name, why, and what is probed instead.
    example: Option<String>,
    failed: u64,
    recovered: u64,
    /// When the next line may be printed.
    due: Option<Instant>,
    last: Option<Instant>,
}

impl Notices {
    /// A name does not resolve any more.
    pub(super) fn failed(&mut self, name: &str, reason: &str, has_addresses: bool, now: Instant) {
        self.failed += 1;
        self.example.get_or_insert_with(|| failure(name, reason, has_addresses));
        self.plan(now);
    }

    /// A name resolves again.
    pub(super) fn recovered(&mut self, now: Instant) {
        self.recovered += 1;
        self.plan(now);
    }

    /// When [`Self::print`] has something to do.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Prints what there is.
    pub(super) fn print(&mut self, now: Instant) {
        if let Some(example) = self.example.take() {
            let line = line(&example, self.failed);
            warn!(names = self.failed, "{line}");
        }
        if self.recovered > 0 {
            let verb = if self.recovered == 1 { "resolves" } else { "resolve" };
            info!(names = self.recovered, "{} {verb} again", counted(self.recovered, "name"));
        }
        *self = Self { last: Some(now), ..Self::default() };
    }

    fn plan(&mut self, now: Instant) {
        let after_last = self.last.map_or(now, |last| last + PAUSE);
        self.due.get_or_insert((now + GATHER).max(after_last));
    }
}

fn failure(name: &str, reason: &str, has_addresses: bool) -> String {
    let effect = if has_addresses {
        "its last addresses are still probed"
    } else {
        "its probes are local errors until it resolves"
    };
    format!("cannot resolve {name}: {reason}; {effect}")
}

fn line(example: &str, failed: u64) -> String {
    match failed {
        0 | 1 => example.to_owned(),
        more => format!("{example} (and {})", counted(more - 1, "more name")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{GATHER, Notices, PAUSE, failure, line};

    #[test]
    fn names_that_fail_together_are_one_line() {
        let example = failure("a.example", "there is no such name", false);
        assert_eq!(
            line(&example, 1),
            "cannot resolve a.example: there is no such name; its probes are local errors until it \
             resolves"
        );
        assert!(line(&example, 3).ends_with(" (and 2 more names)"));
        assert!(failure("a", "x", true).ends_with("its last addresses are still probed"));
    }

    #[test]
    fn lines_are_rare() {
        let (mut notices, start) = (Notices::default(), Instant::now());
        assert_eq!(notices.due(), None);
        notices.failed("a", "x", false, start);
        notices.failed("b", "x", false, start + GATHER / 2);
        assert_eq!(notices.due(), Some(start + GATHER));
        notices.print(start + GATHER);
        assert_eq!(notices.due(), None);
        notices.recovered(start + 2 * GATHER);
        assert_eq!(notices.due(), Some(start + GATHER + PAUSE));
    }
}
