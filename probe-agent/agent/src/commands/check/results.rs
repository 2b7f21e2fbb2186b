//! The report on stdout, for as long as it can be written.

use std::{
    io::{self, BufWriter, Stdout},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use engine::early::EarlyReport;
use explain::ExplainedProbe;
use model::errno::in_words;
use report::{
    progress::Snapshot,
    reporter::{Reporter, reader_gone},
    summary::Summary,
};

/// Prints the report. A failure stops the run; the spans of what was probed are still delivered.
pub(super) struct Results {
    reporter: Reporter<BufWriter<Stdout>>,
    state: State,
    stop: Arc<AtomicBool>,
}

/// Whether the report can be written.
enum State {
    Open,
    /// The reader has read enough: no failure.
    ReaderGone,
    Failed(io::Error),
}

impl Results {
    pub(super) fn new(reporter: Reporter<BufWriter<Stdout>>, stop: Arc<AtomicBool>) -> Self {
        Self { reporter, state: State::Open, stop }
    }

    pub(super) fn probe(&mut self, probe: &ExplainedProbe) {
        self.write(|reporter| reporter.probe(probe));
    }

    pub(super) fn ended(&mut self, report: &EarlyReport) {
        self.write(|reporter| reporter.ended(report));
    }

    pub(super) fn flush(&mut self) {
        self.write(Reporter::flush);
    }

    /// Whether the next flush writes something.
    pub(super) fn has_unflushed(&self) -> bool {
        self.reporter.has_unflushed()
    }

    /// Prints the figures of a run without an end, if they are due.
    pub(super) fn tick(&mut self, now: &Snapshot) {
        self.write(|reporter| reporter.tick(now));
    }

    /// In a run without an end, how many targets' last probes were not as expected.
    pub(super) fn unexpected_targets(&self) -> Option<u64> {
        self.reporter.unexpected_targets()
    }

    /// Prints the summary, unless the report has failed before.
    pub(super) fn finish(&mut self, summary: &Summary) {
        self.write(|reporter| reporter.finish(summary));
    }

    /// Whether the report still has its reader.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    /// Why the report could not be written, unless its reader has gone away.
    pub(super) fn failure(self) -> Option<io::Error> {
        match self.state {
            State::Open | State::ReaderGone => None,
            State::Failed(error) => Some(error),
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Reporter<BufWriter<Stdout>>) -> io::Result<()>) {
        if !self.is_open() {
            return;
        }
        if let Err(error) = write(&mut self.reporter) {
            self.stop.store(true, Ordering::Relaxed);
            self.state = if reader_gone(&error) {
                State::ReaderGone
            } else {
                State::Failed(in_words(error))
            };
        }
    }
}
