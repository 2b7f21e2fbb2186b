//! A line on a terminal that is drawn over again and leaves nothing behind.

use std::io::{self, IsTerminal, Write};

use crate::wrap::cut;

/// The line. That it cannot be written is nobody's concern.
#[derive(Debug)]
pub struct Line<W: Write> {
    out: W,
    width: Option<usize>,
    drawn: bool,
}

impl Line<io::Stderr> {
    /// On stderr, or nowhere where that is no terminal.
    pub fn on_stderr() -> Self {
        let terminal = io::stderr().is_terminal();
        let width = || terminal_size::terminal_size_of(io::stderr()).map(|(w, _)| usize::from(w.0));
        Self::new(io::stderr(), terminal.then(|| width().unwrap_or(80)))
    }
}

impl<W: Write> Line<W> {
    /// On any writer; `width` is that of the terminal, `None` where there is none to draw on.
    pub(super) fn new(out: W, width: Option<usize>) -> Self {
        Self { out, width, drawn: false }
    }

    /// How many characters fit; `None` where there is no terminal. The cursor needs a place, too.
    pub(super) fn room(&self) -> Option<usize> {
        self.width.map(|width| width.saturating_sub(1))
    }

    /// Draws the line anew.
    pub fn draw(&mut self, text: &str) {
        let Some(room) = self.room() else { return };
        self.drawn = true;
        // \r and "erase to the end of the line" (ECMA-48), then the cursor stays at its end.
        let _ = write!(self.out, "\r\x1b[K{}", cut(text, room));
        let _ = self.out.flush();
    }

    /// Takes the line away: before anything else is written to the terminal, and at the end.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(self.out, "\r\x1b[K");
            let _ = self.out.flush();
        }
    }
}
