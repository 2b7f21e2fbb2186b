//! The places for connections: how many there are, and who has to give way.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// How long a connection may be silent before it gives way: long enough for a request that is on its way, or for
/// an answer that is being written.
const GRACE: Duration = Duration::from_millis(20);

/// The connections of a server.
pub(crate) struct Connections {
    permits: Arc<Semaphore>,
    table: Arc<Table>,
}

#[derive(Default)]
struct Table {
    /// By the moment since which each is idle, or was accepted: the first gives way first.
    by_age: Mutex<Ages>,
}

#[derive(Default)]
struct Ages {
    next: u64,
    idle: BTreeMap<u64, (Instant, Arc<Notify>)>,
}

/// The place of one connection. It is free again when this is dropped.
pub(crate) struct Place {
    table: Arc<Table>,
    /// Where the connection is in the table; `None` while it is busy.
    age: Mutex<Option<u64>>,
    /// Answers that are being made or sent.
    busy: AtomicUsize,
    leave: Arc<Notify>,
    _permit: OwnedSemaphorePermit,
}

/// While there is one, the connection is busy.
pub(crate) struct Busy(Arc<Place>);

impl Connections {
    pub(crate) fn new(most: usize) -> Self {
        let permits = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Self { permits, table: Arc::default() }
    }

    /// A place for one more connection. If there is none, the connection that has been idle for longest gives
    /// way: thousands of silent clients keep nobody out. `None` if all stay busy.
    pub(crate) async fn enter(&self) -> Option<Arc<Place>> {
        let permit = self.permit().await?;
        let (leave, busy) = (Arc::default(), AtomicUsize::new(0));
        let age = Mutex::new(Some(self.table.enter(&leave)));
        Some(Arc::new(Place { table: Arc::clone(&self.table), age, busy, leave, _permit: permit }))
    }
}

impl Connections {
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let acquire = || Arc::clone(&self.permits).acquire_owned();
        loop {
            let oldest = self.table.ages().idle.first_key_value().map(|(_, (since, _))| *since);
            let grace = GRACE.saturating_sub(oldest.map_or(Duration::ZERO, |at| at.elapsed()));
            if let Ok(permit) = timeout(grace, acquire()).await {
                return permit.ok();
            }
            match self.table.oldest() {
                Oldest::Busy => return None,
                Oldest::GivesWay(leave) => {
                    leave.notify_one();
                    return acquire().await.ok();
                }
                // Within the grace, another one has become the oldest.
                Oldest::IsNew => {}
            }
        }
    }
}

/// What the connection that has been idle for longest does for a new one.
enum Oldest {
    /// There is none: all are busy.
    Busy,
    /// It may still send its request.
    IsNew,
    /// It leaves when it is notified.
    GivesWay(Arc<Notify>),
}

impl Table {
    fn ages(&self) -> MutexGuard<'_, Ages> {
        self.by_age.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn oldest(&self) -> Oldest {
        let mut ages = self.ages();
        match ages.idle.first_entry() {
            None => Oldest::Busy,
            Some(oldest) if oldest.get().0.elapsed() < GRACE => Oldest::IsNew,
            Some(oldest) => Oldest::GivesWay(oldest.remove().1),
        }
    }

    fn enter(&self, leave: &Arc<Notify>) -> u64 {
        let mut ages = self.ages();
        ages.next += 1;
        let age = ages.next;
        ages.idle.insert(age, (Instant::now(), Arc::clone(leave)));
        age
    }
}

impl Place {
    /// The connection begins an answer.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::Relaxed);
        self.withdraw();
        Busy(Arc::clone(self))
    }

    /// Returns when the connection has to give way.
    pub(crate) async fn left(&self) {
        self.leave.notified().await;
    }

    fn withdraw(&self) {
        if let Some(age) = self.age().take() {
            self.table.ages().idle.remove(&age);
        }
    }

    fn age(&self) -> MutexGuard<'_, Option<u64>> {
        self.age.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if self.0.busy.fetch_sub(1, Ordering::Relaxed) == 1 {
            *self.0.age() = Some(self.0.table.enter(&self.0.leave));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::Connections;

    #[tokio::test]
    async fn the_connection_that_is_idle_for_longest_gives_way() {
        let connections = Connections::new(2);
        let (first, second) =
            (connections.enter().await.unwrap(), connections.enter().await.unwrap());
        // The first has been idle for less time than the second after it has answered.
        drop(first.busy());
        let leaves = async move {
            second.left().await;
            drop(second);
        };
        let both = async { tokio::join!(connections.enter(), leaves) };
        let (third, ()) = timeout(Duration::from_secs(20), both).await.unwrap();
        let third = third.unwrap();
        let busy = (first.busy(), third.busy());
        assert!(connections.enter().await.is_none(), "all are busy");
        drop((busy, first));
        assert!(connections.enter().await.is_some());
    }
}
