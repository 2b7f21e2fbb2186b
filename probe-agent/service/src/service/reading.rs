//! Reads the configuration in a thread of its own: a large one takes a while, and probes go on meanwhile.

use std::thread::{self, JoinHandle};

use crate::reload::{Configuration, ConfigurationSource};

/// What has come of a reading.
pub(super) type Read = Result<Configuration, Vec<String>>;

/// Reads the configuration when somebody asks for it.
#[derive(Debug)]
pub(super) struct Reading {
    source: ConfigurationSource,
    thread: Option<JoinHandle<(ConfigurationSource, Read)>>,
    /// It is to be read again, and whether a user asked for that.
    wanted: Option<bool>,
    is_asked: bool,
}

impl Reading {
    pub(super) fn new(source: ConfigurationSource) -> Self {
        Self { source, thread: None, wanted: None, is_asked: false }
    }

    /// Reads it from now on, or again when a reading that has begun is done.
    pub(super) fn ask(&mut self, is_asked: bool) {
        self.wanted = Some(is_asked || self.wanted == Some(true));
    }

    /// Begins what was asked for, unless a reading goes on. Returns whether one has begun.
    pub(super) fn begin(&mut self) -> bool {
        if self.thread.is_some() {
            return false;
        }
        let Some(is_asked) = self.wanted.take() else { return false };
        let mut source = self.source.clone();
        let read = move || {
            let read = source.read();
            (source, read)
        };
        match thread::Builder::new().name("configuration".to_owned()).spawn(read) {
            Ok(thread) => (self.thread, self.is_asked) = (Some(thread), is_asked),
            // This host has no thread: it is tried again with the next turn.
            Err(_) => self.wanted = Some(is_asked),
        }
        self.thread.is_some()
    }

    /// What has been read, once; and whether a user asked for it.
    pub(super) fn done(&mut self) -> Option<(Read, bool)> {
        let thread = self.thread.take_if(|thread| thread.is_finished())?;
        let read = match thread.join() {
            Ok((source, read)) => {
                self.source = source;
                read
            }
            // The panic hook has reported it.
            Err(_) => Err(vec!["reading the configuration failed".to_owned()]),
        };
        Some((read, self.is_asked))
    }
}
