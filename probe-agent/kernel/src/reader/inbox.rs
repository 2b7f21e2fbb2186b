//! The bounded queue of the events that wait for one worker.
//!
//! Its memory grows with what waits in it: most workers never wait for an event.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::{self, Receiver, Sender},
};

use model::event::FlowEvent;

/// The most events that wait for a worker: enough for one second of trouble at full speed.
const ROOM: usize = 65_536;

/// The worker's end.
#[derive(Debug)]
pub struct Inbox {
    events: Receiver<FlowEvent>,
    waiting: Arc<AtomicUsize>,
}

/// The reader's end.
#[derive(Clone, Debug)]
pub struct InboxSender {
    events: Sender<FlowEvent>,
    waiting: Arc<AtomicUsize>,
}

/// An empty queue.
#[must_use]
pub fn inbox() -> (InboxSender, Inbox) {
    let (sender, events) = mpsc::channel();
    let waiting = Arc::<AtomicUsize>::default();
    (InboxSender { events: sender, waiting: Arc::clone(&waiting) }, Inbox { events, waiting })
}

impl Inbox {
    /// Takes out the events that have arrived.
    pub fn take(&self) -> impl Iterator<Item = FlowEvent> {
        self.events.try_iter().inspect(|_| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

impl InboxSender {
    /// Puts an event in; `false` if there was no room. A worker that has ended needs no events: this is no
    /// loss.
    pub(super) fn put(&self, event: FlowEvent) -> bool {
        // Only the reader adds, so the number of those that wait does not grow in between.
        if self.waiting.load(Ordering::Relaxed) >= ROOM {
            return false;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let _ = self.events.send(event);
        true
    }
}

#[cfg(test)]
mod tests {
    use model::{
        event::{Event, EventKind, FlowEvent},
        flow::FlowKey,
    };

    use super::{ROOM, inbox};

    #[test]
    fn a_worker_that_takes_nothing_out_fills_its_inbox_and_no_memory_beyond() {
        let (sender, inbox) = inbox();
        let event = |at| FlowEvent {
            flow: FlowKey::default(),
            socket: None,
            event: Event { at, kind: EventKind::RstReceived },
        };
        assert!((0..ROOM as u64).all(|at| sender.put(event(at))));
        assert!(!sender.put(event(0)), "it is full");
        assert!(inbox.take().map(|e| e.event.at).eq(0..ROOM as u64));
        assert!(sender.put(event(7)), "there is room again");
        drop(inbox);
        assert!(sender.put(event(8)), "nobody waits for it");
    }
}
