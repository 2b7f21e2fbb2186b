//! Prints a run in the chosen format.

mod shape;

use std::{
    io::{self, BufWriter, Write},
    num::NonZeroU64,
};

use self::shape::MOST_LADDERS;
pub use self::shape::RunShape;
use super::{
    budget::Budget,
    json::{Document, OutcomeObject, ProbeObject, SummaryObject, write_line},
    ladder,
    live::{Live, MINUTE},
    progress::Snapshot,
    style::{Look, Tone},
    summary::Summary,
    table::Table,
    totals,
};
use crate::format::OutputFormat;
use engine::early::EarlyReport;
use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::human;

/// Prints individual probes as they end, and the summary at the end.
///
/// Call `finish` exactly once. A write error ends the run; [`reader_gone`] recognises the error that is not
/// a failure.
#[derive(Debug)]
pub struct Reporter<W> {
    out: W,
    shape: RunShape,
    look: Look,
    clock: Clock,
    format: Format,
    /// The JSON of one probe, which is then written at once.
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Format {
    Table {
        table: Box<Table>,
        /// In a run without an end.
        live: Option<Box<Live>>,
        /// Whether something has been printed above the table.
        above: bool,
    },
    Ladder {
        drawn: u64,
        budget: Budget,
    },
    Json(Document),
    Jsonl,
}

impl<W: Write> Reporter<W> {
    /// Prints to `out`, which should be buffered.
    pub fn new(output: OutputFormat, out: W, shape: RunShape, look: Look, clock: Clock) -> Self {
        let format = match output {
            OutputFormat::Table => {
                let count = shape.count.map(NonZeroU64::get);
                let table = Box::new(Table::new(shape.targets.len(), count, shape.expect));
                let live = count.is_none().then(|| Box::new(Live::new(shape.expect, clock, look)));
                Format::Table { table, live, above: false }
            }
            OutputFormat::Ladder => {
                let window = if shape.count.is_none() { MINUTE } else { u64::MAX };
                Format::Ladder { drawn: 0, budget: Budget::new(MOST_LADDERS, window) }
            }
            OutputFormat::Json => Format::Json(Document::default()),
            OutputFormat::Jsonl => Format::Jsonl,
        };
        Self { out, shape, look, clock, format, buffer: Vec::new() }
    }

    /// Takes one probe, and prints it if the format prints probes. A confirmation probe is reported with the
    /// probe that it confirms, not on its own.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub fn probe(&mut self, probe: &ExplainedProbe) -> io::Result<()> {
        if probe.timeline.probe.confirms.is_some() {
            return Ok(());
        }
        let Some(target) = self.shape.targets.get(probe.timeline.probe.target.0 as usize) else {
            // Not a target of this run.
            return Ok(());
        };
        match &mut self.format {
            Format::Table { table, live, above } => {
                table.probe(probe, &target.name);
                let lines = live.as_mut().and_then(|live| live.probe(probe, target));
                write_above(&mut self.out, above, lines)
            }
            Format::Ladder { drawn, budget } => {
                let usual = self.shape.expect.verdict();
                let is_usual = probe.findings.iter().all(|f| f.verdict == usual);
                let at = probe.timeline.probe.ended_at;
                if !self.shape.is_small() && (is_usual || !budget.takes(at)) {
                    return Ok(());
                }
                let page =
                    ladder::draw(probe, &target.name, self.shape.expect, self.clock, self.look);
                if *drawn > 0 {
                    write_rule(&mut self.out, self.look)?;
                }
                *drawn += 1;
                self.out.write_all(page.as_bytes())
            }
            Format::Json(document) => {
                self.buffer.clear();
                document.probe(&mut self.buffer, &ProbeObject::new(probe, target, self.clock))?;
                self.out.write_all(&self.buffer)
            }
            Format::Jsonl => {
                self.buffer.clear();
                write_line(&mut self.buffer, &ProbeObject::new(probe, target, self.clock))?;
                self.out.write_all(&self.buffer)
            }
        }
    }

    /// Takes a probe that has ended and is not settled. Prints it, if the format reports outcomes before the
    /// settle window, or changes as they happen.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub fn ended(&mut self, report: &EarlyReport) -> io::Result<()> {
        let Some(target) = self.shape.targets.get(report.record.target.0 as usize) else {
            return Ok(());
        };
        match &mut self.format {
            Format::Table { live: Some(live), above, .. } => {
                let line = live.ended(report, target);
                write_above(&mut self.out, above, line)
            }
            Format::Jsonl => {
                self.buffer.clear();
                let object = OutcomeObject::new(report, target, self.clock);
                write_line(&mut self.buffer, &object)?;
                self.out.write_all(&self.buffer)
            }
            Format::Table { live: None, .. } | Format::Ladder { .. } | Format::Json(_) => Ok(()),
        }
    }

    /// Time passes. In a run without an end, prints a line of figures once in a minute.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub fn tick(&mut self, now: &Snapshot) -> io::Result<()> {
        if let Format::Table { live: Some(live), above, .. } = &mut self.format {
            let lines = live.figures(now, &self.shape.targets);
            write_above(&mut self.out, above, lines)?;
        }
        Ok(())
    }

    /// In a run without an end, how many targets' last probes were not as expected.
    #[must_use]
    pub fn unexpected_targets(&self) -> Option<u64> {
        match &self.format {
            Format::Table { live: Some(live), .. } => Some(live.unexpected()),
            _ => None,
        }
    }

    /// Prints the summary and flushes everything.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        match &mut self.format {
            Format::Table { table, above, .. } => {
                if *above {
                    self.out.write_all(b"\n")?;
                }
                self.out.write_all(table.draw(summary, self.look).as_bytes())?;
            }
            Format::Ladder { drawn, .. } => {
                let mut page = String::new();
                let more = summary.unusual(self.shape.expect).saturating_sub(*drawn);
                if *drawn > 0 {
                    write_rule(&mut self.out, self.look)?;
                }
                if more > 0 && !self.shape.is_small() {
                    page.push_str(&format!(
                        "{} not drawn.\n",
                        human::counted(more, "further unusual probe")
                    ));
                }
                totals::write(&mut page, summary, self.look);
                self.out.write_all(page.as_bytes())?;
            }
            Format::Json(document) => document.finish(&mut self.out, summary)?,
            Format::Jsonl => write_line(&mut self.out, &SummaryObject { summary })?,
        }
        self.out.flush()
    }

    /// Flushes what was printed so far; a few times per second is enough.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Reporter<BufWriter<W>> {
    /// Whether the next flush writes something.
    #[must_use]
    pub fn has_unflushed(&self) -> bool {
        !self.out.buffer().is_empty()
    }
}

/// Whether a write failed because the reader has gone (`| head`). The run then ends silently, with the exit
/// code for the probes so far.
#[must_use]
pub fn reader_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

/// Writes lines above the table, which follows at the end of the run.
fn write_above(out: &mut impl Write, above: &mut bool, lines: Option<String>) -> io::Result<()> {
    match lines {
        Some(lines) => {
            *above = true;
            out.write_all(lines.as_bytes())
        }
        None => Ok(()),
    }
}

fn write_rule(out: &mut impl Write, look: Look) -> io::Result<()> {
    writeln!(out, "\n{}\n", look.paint(Tone::Faint, &"-".repeat(look.width)))
}

#[cfg(test)]
mod tests;
