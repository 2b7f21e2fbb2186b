//! Fits the cells into columns.

use super::cells::{Cells, headings};
use crate::{
    style::{Look, Tone, verdict_tone},
    wrap::{cut, wrap_items},
};
use model::verdict::Verdict;

/// Where the lines below a row start: under the target.
pub(super) const DETAIL_COLUMN: usize = 6;
const OK_WIDTH: usize = 4;
const GAP: usize = 2;

/// The widths of the columns. The verdicts of single probes take the rest of the line, or the next line.
pub(super) struct Layout {
    look: Look,
    single: bool,
    target: usize,
    /// `None` if the targets are written as addresses, or the line has no room.
    address: Option<usize>,
    outcome: usize,
    figures: Vec<usize>,
}

impl Layout {
    pub(super) fn new(cells: &[Cells], single: bool, look: Look) -> Self {
        let widest = |heading: &str, of: &dyn Fn(&Cells) -> usize| {
            cells.iter().map(of).max().unwrap_or(0).max(heading.len())
        };
        let figures = headings(single)
            .iter()
            .enumerate()
            .map(|(index, name)| widest(name, &|c| c.figures[index].len()))
            .collect();
        let mut layout = Self {
            look,
            single,
            target: widest("TARGET", &|c| c.target.len()).min(look.width / 2),
            address: None,
            outcome: widest("OUTCOME", &|c| c.outcome.len()),
            figures,
        };
        let verdicts =
            if single { GAP + widest("VERDICT", &|c| plain(&c.verdicts).len()) } else { 0 };
        let address = GAP + widest("ADDRESS", &|c| c.address.len());
        let named = cells.iter().any(|c| c.target != c.address);
        // If the line is full, leave out the address first: the JSON output has it too.
        if named && layout.width() + address + verdicts <= look.width {
            layout.address = Some(address - GAP);
        }
        layout
    }

    /// The width without the verdicts.
    fn width(&self) -> usize {
        let figures: usize = self.figures.iter().map(|width| GAP + width).sum();
        let address = self.address.map_or(0, |width| GAP + width);
        OK_WIDTH + GAP + self.target + address + GAP + self.outcome + figures
    }

    pub(super) fn heading(&self, page: &mut String) {
        let mut line = " ".repeat(OK_WIDTH);
        let names: Vec<String> = headings(self.single).iter().map(ToString::to_string).collect();
        self.columns(&mut line, ["TARGET", "ADDRESS", "OUTCOME"], &names);
        if self.single {
            line.push_str("  VERDICT");
        }
        page.push_str(&format!("{}\n", self.look.paint(Tone::Strong, &line)));
    }

    pub(super) fn row(&self, page: &mut String, cells: &Cells) {
        let (mark, tone) = match cells.ok {
            None => ("-   ", Tone::Faint),
            Some(true) => ("ok  ", Tone::Good),
            Some(false) => ("FAIL", Tone::Bad),
        };
        page.push_str(&self.look.paint(tone, mark));
        self.columns(page, [&cells.target, &cells.address, &cells.outcome], &cells.figures);
        if !cells.verdicts.is_empty() {
            let fits = self.width() + GAP + plain(&cells.verdicts).len() <= self.look.width;
            page.push_str(if fits { "  " } else { "\n      " });
            let painted: Vec<_> = cells
                .verdicts
                .iter()
                .map(|verdict| self.look.paint(verdict_tone(*verdict), verdict.name()))
                .collect();
            page.push_str(&painted.join(", "));
        }
        page.push('\n');
        for line in wrap_items(&cells.unusual, self.look.width - DETAIL_COLUMN) {
            page.push_str(&format!("{:DETAIL_COLUMN$}{line}\n", ""));
        }
    }

    /// Left-aligned texts and right-aligned figures.
    fn columns(&self, line: &mut String, texts: [&str; 3], figures: &[String]) {
        let widths = [Some(self.target), self.address, Some(self.outcome)];
        for (text, width) in texts.into_iter().zip(widths) {
            if let Some(width) = width {
                line.push_str(&format!("  {:<width$}", cut(text, width)));
            }
        }
        for (figure, width) in figures.iter().zip(&self.figures) {
            line.push_str(&format!("  {figure:>width$}"));
        }
    }
}

fn plain(verdicts: &[Verdict]) -> String {
    verdicts.iter().map(|verdict| verdict.name()).collect::<Vec<_>>().join(", ")
}
