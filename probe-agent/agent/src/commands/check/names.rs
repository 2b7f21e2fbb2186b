//! Keeps the addresses of names up to date while the run probes them.

use std::{fs::File, sync::Arc};

use engine::names::Names;
use model::errno::in_words;
use tracing::warn;

use crate::names::{NameWatch, Watching};

/// What looks names up again. Its thread starts after those that probe: where there are few threads, these
/// are needed first. A run that is over at once needs none.
pub(super) enum FollowedNames {
    /// There is no name, or no thread, or the run is over.
    None,
    /// The thread is still to be started.
    Waiting(Box<NameWatch>, Arc<Names>),
    Running(Watching),
}

impl FollowedNames {
    /// Starts the thread in the network namespace of the run, unless it runs. Without a thread the
    /// addresses stay as they are.
    pub(super) fn start(&mut self, netns: Option<Arc<File>>) {
        let (watch, names) = match std::mem::replace(self, Self::None) {
            Self::Waiting(watch, names) => (watch, names),
            other @ (Self::None | Self::Running(_)) => {
                *self = other;
                return;
            }
        };
        match watch.watch(names, netns) {
            Ok(watching) => *self = Self::Running(watching),
            Err(error) => warn!(
                "names are not looked up again: there is no thread for it ({}); raise `ulimit -u` or \
                 pids.max",
                in_words(error)
            ),
        }
    }

    /// Ends the thread.
    pub(super) fn stop(&mut self) {
        if let Self::Running(watching) = std::mem::replace(self, Self::None) {
            watching.stop();
        }
    }
}
