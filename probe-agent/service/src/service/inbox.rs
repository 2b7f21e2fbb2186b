//! Takes in what the workers report.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use super::outputs::Outputs;
use crate::{fleet::Fleet, sink::Message};

/// How long a turn waits for a probe.
const WAIT: Duration = Duration::from_millis(50);

/// What workers have reported and the service has not taken in.
pub(super) struct Inbox {
    messages: Receiver<Message>,
    waiting: Arc<AtomicUsize>,
}

impl Inbox {
    pub(super) fn new(messages: Receiver<Message>, waiting: Arc<AtomicUsize>) -> Self {
        Self { messages, waiting }
    }

    /// The most messages that are taken in at once.
    const BATCH: usize = 4_096;

    /// Waits for a message, and takes in those that are there. Returns how many.
    pub(super) fn wait(&self, fleet: &mut Fleet, outputs: &mut Outputs) -> usize {
        match self.messages.recv_timeout(WAIT) {
            Ok(message) => {
                self.pass(message, fleet, outputs);
                1 + self.take(fleet, outputs)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => 0,
        }
    }

    /// Takes in those that are there. Returns how many.
    pub(super) fn take(&self, fleet: &mut Fleet, outputs: &mut Outputs) -> usize {
        let messages = self.messages.try_iter().take(Self::BATCH);
        messages.map(|message| self.pass(message, fleet, outputs)).count()
    }

    fn pass(&self, message: Message, fleet: &mut Fleet, outputs: &mut Outputs) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        match message {
            Message::Settled(settled) => outputs.on_settled(settled, fleet),
            Message::Removed(target) => fleet.on_removed(target),
        }
    }
}
