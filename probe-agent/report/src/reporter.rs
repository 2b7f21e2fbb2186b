//! Prints a run in the chosen format.

use std::{
    io::{self, Write},
    num::NonZeroU64,
};

use super::{
    json::{Document, ProbeObject, SummaryObject, write_line},
    ladder,
    style::{Look, Tone},
    summary::Summary,
    table::Table,
    totals,
};
use crate::format::OutputFormat;
use engine::session::ReportFilter;
use explain::ExplainedProbe;
use kernel::clock::Clock;
use model::{expect::Expect, human, target::Targets, verdict::Verdict};

/// A run of up to this many probes has all ladders drawn, including those of clean probes.
const FEW_PROBES: u64 = 10;
/// In a longer run, this many unusual probes are drawn: a page or two are enough.
const MOST_LADDERS: u64 = 20;

/// What is known about a run before it starts.
#[derive(Clone, Debug)]
pub struct RunShape {
    /// The targets, in the order of their ids.
    pub targets: Targets,
    /// Probes per target; `None` if the run lasts until interrupted.
    pub count: Option<NonZeroU64>,
    /// What a healthy target does.
    pub expect: Expect,
}

impl RunShape {
    /// Which probes a report in this format needs.
    #[must_use]
    pub fn filter(&self, output: OutputFormat) -> ReportFilter {
        match output {
            OutputFormat::Json | OutputFormat::Jsonl => ReportFilter::All,
            OutputFormat::Table | OutputFormat::Ladder if self.is_small() => ReportFilter::All,
            OutputFormat::Table | OutputFormat::Ladder => {
                ReportFilter::Unusual(MOST_LADDERS as u32)
            }
        }
    }

    fn is_small(&self) -> bool {
        self.count.is_some_and(|count| {
            count.get().saturating_mul(self.targets.len() as u64) <= FEW_PROBES
        })
    }
}

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
}

#[derive(Debug)]
enum Format {
    Table(Box<Table>),
    Ladder { drawn: u64 },
    Json(Document),
    Jsonl,
}

impl<W: Write> Reporter<W> {
    /// Prints to `out`, which should be buffered.
    pub fn new(output: OutputFormat, out: W, shape: RunShape, look: Look, clock: Clock) -> Self {
        let format = match output {
            OutputFormat::Table => {
                let count = shape.count.map(NonZeroU64::get);
                Format::Table(Box::new(Table::new(shape.targets.len(), count, shape.expect)))
            }
            OutputFormat::Ladder => Format::Ladder { drawn: 0 },
            OutputFormat::Json => Format::Json(Document::default()),
            OutputFormat::Jsonl => Format::Jsonl,
        };
        Self { out, shape, look, clock, format }
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
            Format::Table(table) => {
                table.probe(probe, &target.name);
                Ok(())
            }
            Format::Ladder { drawn } => {
                let clean = probe.findings.iter().all(|f| f.verdict == Verdict::Clean);
                if !self.shape.is_small() && (clean || *drawn >= MOST_LADDERS) {
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
                document.probe(&mut self.out, &ProbeObject::new(probe, target, self.clock))
            }
            Format::Jsonl => {
                write_line(&mut self.out, &ProbeObject::new(probe, target, self.clock))
            }
        }
    }

    /// Prints the summary and flushes everything.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub fn finish(&mut self, summary: &Summary) -> io::Result<()> {
        match &mut self.format {
            Format::Table(table) => {
                self.out.write_all(table.draw(summary, self.look).as_bytes())?;
            }
            Format::Ladder { drawn } => {
                let mut page = String::new();
                let more = summary.unusual().saturating_sub(*drawn);
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

/// Whether a write failed because the reader has gone (`| head`). The run then ends silently, with the exit
/// code for the probes so far.
#[must_use]
pub fn reader_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}

fn write_rule(out: &mut impl Write, look: Look) -> io::Result<()> {
    writeln!(out, "\n{}\n", look.paint(Tone::Faint, &"-".repeat(look.width)))
}

#[cfg(test)]
mod tests;
