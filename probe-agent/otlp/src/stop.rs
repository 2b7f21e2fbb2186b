//! The end of a run as the exporter's thread sees it: a deadline that may be set late and brought forward.

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// Passes the deadline for the last deliveries on to all that wait for something.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<Option<Instant>>);

impl Stop {
    pub(super) const fn new(deadline: watch::Receiver<Option<Instant>>) -> Self {
        Self(deadline)
    }

    /// Resolves at the deadline, the latest one if there were several. Never resolves if the sender has
    /// gone without sending one.
    pub(super) async fn reached(&mut self) {
        loop {
            let named = *self.0.borrow_and_update();
            let at_that_time = async {
                match named {
                    Some(time) => sleep_until(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = at_that_time => return,
                Ok(()) = self.0.changed() => {}
            }
        }
    }

    /// The result of `work`, or `None` if the deadline comes first.
    pub(super) async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.reached() => None,
        }
    }
}
