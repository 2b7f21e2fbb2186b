//! A terminal line that is redrawn in place and cleared at the end.

use std::io::{self, IsTerminal, Write};

use crate::wrap::cut;

/// The line. Write errors are ignored.
#[derive(Debug)]
pub struct Line<W: Write> {
    out: W,
    width: Option<usize>,
    drawn: bool,
}

impl Line<io::Stderr> {
    /// On stderr, if that is a terminal.
    pub fn on_stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        let width = || terminal_size::terminal_size_of(io::stderr()).map(|(w, _)| usize::from(w.0));
        Self::new(io::stderr(), terminal.then(|| width().unwrap_or(80)))
    }
}

impl<W: Write> Line<W> {
    /// On any writer. `width` is the terminal's width; `None` draws nothing.
    pub(super) fn new(out: W, width: Option<usize>) -> Self {
        Self { out, width, drawn: false }
    }

    /// How many characters fit, with one column left for the cursor; `None` without a terminal.
    pub(super) fn room(&self) -> Option<usize> {
        self.width.map(|width| width.saturating_sub(1))
    }

    /// Redraws the line.
    pub fn draw(&mut self, text: &str) {
        let Some(room) = self.room() else { return };
        self.drawn = true;
        // \r and "erase to the end of the line" (ECMA-48).
        let _ = write!(self.out, "\r\x1b[K{}", cut(text, room));
        let _ = self.out.flush();
    }

    /// Clears the line. Call it before writing anything else to the terminal, and at the end.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(self.out, "\r\x1b[K");
            let _ = self.out.flush();
        }
    }
}
