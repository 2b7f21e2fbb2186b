//! Fits the cells into columns.

use std::borrow::Cow;

use super::cells::{Cells, Kind, Need, columns};
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
    kind: Kind,
    /// Whether the line is too short for columns: each figure then has its name beside it, below its target.
    stacked: bool,
    target: usize,
    /// `None` if the targets are written as addresses, or the line has no room.
    address: Option<usize>,
    outcome: usize,
    /// `None` for a column that is left out.
    figures: Vec<Option<usize>>,
}

impl Layout {
    pub(super) fn new(cells: &[Cells], kind: Kind, look: Look) -> Self {
        let widest = |heading: &str, of: &dyn Fn(&Cells) -> usize| {
            cells.iter().map(of).max().unwrap_or(0).max(heading.len())
        };
        let figures = columns(kind)
            .iter()
            .enumerate()
            .map(|(index, column)| Some(widest(column.heading, &|c| c.figures[index].len())))
            .collect();
        let mut layout = Self {
            look,
            kind,
            stacked: false,
            target: widest("TARGET", &|c| c.target.len()).min(look.width / 2),
            address: None,
            outcome: widest("OUTCOME", &|c| c.outcome.len()),
            figures,
        };
        let single = kind.is_single();
        let verdicts =
            if single { GAP + widest("VERDICT", &|c| plain(&c.verdicts).len()) } else { 0 };
        let address = GAP + widest("ADDRESS", &|c| c.address.len());
        let named = cells.iter().any(|c| c.target != c.address);
        // If the line is full, leave out the address first: the JSON output has it too.
        if named && layout.width() + address + verdicts <= look.width {
            layout.address = Some(address - GAP);
        }
        for (index, column) in columns(kind).iter().enumerate() {
            let whole = || cells.iter().all(|cells| cells.figures[index] == "100 %");
            let needless = match column.need {
                Need::Always => false,
                Need::Below100 => whole(),
                Need::Never => true,
            };
            if needless && layout.width() > look.width {
                layout.figures[index] = None;
            }
        }
        let least = if single { GAP + "VERDICT".len() } else { 0 };
        layout.stacked = layout.width() + least > look.width;
        layout
    }

    /// The width without the verdicts.
    fn width(&self) -> usize {
        let figures: usize = self.figures.iter().flatten().map(|width| GAP + width).sum();
        let address = self.address.map_or(0, |width| GAP + width);
        OK_WIDTH + GAP + self.target + address + GAP + self.outcome + figures
    }

    pub(super) fn heading(&self, page: &mut String) {
        if self.stacked {
            return;
        }
        let mut line = " ".repeat(OK_WIDTH);
        let names: Vec<String> =
            columns(self.kind).iter().map(|column| column.heading.to_owned()).collect();
        self.columns(&mut line, ["TARGET", "ADDRESS", "OUTCOME"], &names);
        if self.kind.is_single() {
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
        if self.stacked {
            self.stack(page, cells);
            return;
        }
        self.columns(page, [&cells.target, &cells.address, &cells.outcome], &cells.figures);
        if !cells.verdicts.is_empty() {
            let fits = self.width() + GAP + plain(&cells.verdicts).len() <= self.look.width;
            page.push_str(if fits { "  " } else { "\n      " });
            let painted: Vec<_> =
                cells.verdicts.iter().map(|verdict| self.painted(*verdict)).collect();
            page.push_str(&painted.join(", "));
        }
        page.push('\n');
        self.below(page, &cells.unusual);
    }

    /// The target, and below it everything else, each figure with its name.
    fn stack(&self, page: &mut String, cells: &Cells) {
        page.push_str(&format!("  {}\n", cells.target));
        let mut items = vec![(cells.outcome.len(), cells.outcome.clone())];
        let figures = columns(self.kind).iter().zip(&cells.figures);
        items.extend(figures.filter(|(_, figure)| *figure != "-").map(|(column, figure)| {
            let text = format!("{} {figure}", column.heading.to_lowercase());
            (text.len(), text)
        }));
        // `refused, refused` would say the same twice.
        let verdicts = cells.verdicts.iter().filter(|verdict| verdict.title() != cells.outcome);
        items.extend(verdicts.map(|v| (v.name().len(), self.painted(*v).into_owned())));
        self.below(page, &items);
        self.below(page, &cells.unusual);
    }

    /// Lines below a row.
    fn below(&self, page: &mut String, items: &[(usize, String)]) {
        for line in wrap_items(items, self.look.width - DETAIL_COLUMN) {
            page.push_str(&format!("{:DETAIL_COLUMN$}{line}\n", ""));
        }
    }

    fn painted(&self, verdict: Verdict) -> Cow<'static, str> {
        self.look.paint(verdict_tone(verdict), verdict.name())
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
            if let Some(width) = width {
                line.push_str(&format!("  {figure:>width$}"));
            }
        }
    }
}

fn plain(verdicts: &[Verdict]) -> String {
    verdicts.iter().map(|verdict| verdict.name()).collect::<Vec<_>>().join(", ")
}
