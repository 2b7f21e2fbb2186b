//! Stderr as the messages see it: one write per message, and no failure.

use std::io::{self, IsTerminal, StderrLock, Write};

/// Erases the progress line, which is drawn again below the message.
const CLEAR: &[u8] = b"\r\x1b[K";

/// Locked, so that the message and what precedes it stay together.
pub(super) struct Stderr(StderrLock<'static>);

impl Stderr {
    pub(super) fn new() -> Self {
        Self(io::stderr().lock())
    }
}

impl Write for Stderr {
    /// Takes one message. If nobody reads stderr, or its disk is full, the message is lost.
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        if self.0.is_terminal() {
            let _ = self.0.write_all(CLEAR);
        }
        let _ = self.0.write_all(message);
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
