//! JSON: one object per probe, then the summary. Names and order are a contract.

mod claims;
mod early;
mod head;
mod probe;
mod text;

use std::io::{self, Write};

use serde::Serialize;

pub(super) use self::early::OutcomeObject;
pub use self::probe::ProbeObject;
use super::summary::Summary;

/// `{"summary": {...}}`, the last line of JSON Lines.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct SummaryObject<'a> {
    /// The figures of the run.
    pub(super) summary: &'a Summary,
}

/// Writes one object as a line.
///
/// # Errors
/// The reader has gone, or the disk is full.
pub fn write_line(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}

/// One document, `{"probes": [...], "summary": {...}}`, written probe by probe: its memory does not grow
/// with the run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Document {
    probes: u64,
}

impl Document {
    /// Writes the next probe.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub(super) fn probe(
        &mut self,
        out: &mut impl Write,
        object: &ProbeObject<'_>,
    ) -> io::Result<()> {
        out.write_all(if self.probes == 0 { b"{\"probes\":[\n" } else { b",\n" })?;
        self.probes += 1;
        Ok(serde_json::to_writer(out, object)?)
    }

    /// Ends the document with the summary.
    ///
    /// # Errors
    /// The reader has gone, or the disk is full.
    pub(super) fn finish(&mut self, out: &mut impl Write, summary: &Summary) -> io::Result<()> {
        out.write_all(if self.probes == 0 { b"{\"probes\":[" } else { b"\n" })?;
        out.write_all(b"],\n\"summary\":")?;
        serde_json::to_writer(&mut *out, summary)?;
        out.write_all(b"}\n")
    }
}

#[cfg(test)]
mod tests;
