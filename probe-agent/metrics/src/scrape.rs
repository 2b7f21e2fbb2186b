//! What a scraper gets, chunk by chunk.

mod histogram;
mod node;
mod target;
mod view;

use std::{fmt, sync::Arc};

use self::{
    node::{PROBES, STATE},
    target::TARGET,
    view::{View, Write},
};
use crate::{
    counts::WorkerCounts, family::Family, format::Format, page::Page, sample::Sample,
    shared::Shared, targets::TargetList,
};

/// A chunk has about this many bytes: enough for few system calls, and little memory for each scraper.
const CHUNK: usize = 64 << 10;

/// All metrics of `/metrics`, in the order in which they are written, and whether each is one of single targets.
pub fn families() -> impl Iterator<Item = (&'static Family, bool)> {
    let node = (0..).map_while(node).map(|(family, _)| (family, false));
    node.chain(TARGET.iter().map(|(family, _)| (family, true)))
}

/// A family of the whole agent, by its place in the order.
fn node(at: usize) -> Option<&'static (Family, Write)> {
    PROBES.get(at).or_else(|| STATE.get(at.checked_sub(PROBES.len())?))
}

/// An answer to a scraper, as chunks of text. The targets are those at its start, each count is that of the
/// moment in which it is written.
pub struct Scrape {
    format: Format,
    view: View,
    targets: TargetList,
    /// The next family, and the next target in it.
    family: usize,
    target: usize,
    /// Whether the header of the family is in an earlier chunk.
    is_headed: bool,
    is_ended: bool,
    /// Targets read so far, each once for each of its families.
    reads: u64,
}

impl Scrape {
    pub(crate) fn new(
        format: Format,
        sample: Sample,
        workers: Vec<Arc<WorkerCounts>>,
        targets: TargetList,
        shared: Arc<Shared>,
    ) -> Self {
        let count = shared.list().iter().flatten().count();
        let view = View { sample, workers, targets: count, shared };
        let (family, target, is_headed, is_ended, reads) = (0, 0, false, false, 0);
        Self { format, view, targets, family, target, is_headed, is_ended, reads }
    }

    /// The format of the text.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Writes what fits of the current family. Whether there is a next one.
    fn step(&mut self, page: &mut Page) -> bool {
        if let Some((family, write)) = node(self.family) {
            page.family(family, false);
            write(&self.view, page);
            self.family += 1;
            return true;
        }
        let Some((family, write)) = TARGET.get(self.family - PROBES.len() - STATE.len()) else {
            return false;
        };
        page.family(family, self.is_headed);
        while let Some(entry) = self.targets.get(self.target) {
            if page.len() >= CHUNK {
                self.is_headed = page.is_headed();
                return true;
            }
            if let Some(entry) = entry {
                write(entry, self.view.shared.options, page);
                self.reads += 1;
            }
            self.target += 1;
        }
        (self.family, self.target, self.is_headed) = (self.family + 1, 0, false);
        true
    }
}

impl Iterator for Scrape {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.is_ended {
            return None;
        }
        // The last target may go beyond the size, with all series of its family.
        let mut page = Page::new(self.format, CHUNK + CHUNK / 8);
        while page.len() < CHUNK {
            if !self.step(&mut page) {
                self.is_ended = true;
                page.end();
                break;
            }
        }
        Some(page.into_text())
    }
}

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrape").field("format", &self.format).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
