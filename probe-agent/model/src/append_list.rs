//! A list that many threads read while one adds to it. Entries never move, change or go away.

use std::{
    array, fmt,
    ops::Index,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The entries of the first chunk that is added to the initial entries. Each further chunk is twice as
/// large.
const FIRST_CHUNK: usize = 16;

/// Enough chunks for more entries than a `u32` can number.
const CHUNKS: usize = 28;

type Chunk<T> = Box<[OnceLock<T>]>;

/// A list to which entries can be added through a shared reference. Reading takes no lock.
pub struct AppendList<T> {
    /// In one piece and without a flag for each entry: most lists never grow.
    initial: Box<[T]>,
    chunks: [OnceLock<Chunk<T>>; CHUNKS],
    len: AtomicUsize,
    writer: Mutex<()>,
}

impl<T> AppendList<T> {
    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An entry.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        let Some(added) = index.checked_sub(self.initial.len()) else {
            return self.initial.get(index);
        };
        let (chunk, at) = place(added);
        self.chunks.get(chunk)?.get()?.get(at)?.get()
    }

    /// The entries that there are now, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Adds an entry and returns its index; `None` if the list is full.
    pub fn push(&self, entry: T) -> Option<usize> {
        // The lock guards no data: an entry is complete before `len` counts it.
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let index = self.len();
        let (chunk, at) = place(index - self.initial.len());
        let chunk = self
            .chunks
            .get(chunk)?
            .get_or_init(|| (0..FIRST_CHUNK << chunk).map(|_| OnceLock::new()).collect());
        chunk.get(at)?.set(entry).ok()?;
        self.len.store(index + 1, Ordering::Release);
        Some(index)
    }
}

/// The chunk of an added entry, and its position there.
fn place(added: usize) -> (usize, usize) {
    let chunk = (added / FIRST_CHUNK + 1).ilog2() as usize;
    (chunk, added - FIRST_CHUNK * ((1 << chunk) - 1))
}

impl<T> FromIterator<T> for AppendList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        let initial: Box<[T]> = entries.into_iter().collect();
        Self {
            len: AtomicUsize::new(initial.len()),
            initial,
            chunks: array::from_fn(|_| OnceLock::new()),
            writer: Mutex::new(()),
        }
    }
}

impl<T> Index<usize> for AppendList<T> {
    type Output = T;

    /// # Panics
    /// There is no such entry. [`Self::get`] does not panic.
    fn index(&self, index: usize) -> &T {
        // As a slice does: such an index is not one of the initial entries either.
        self.get(index).unwrap_or_else(|| self.initial.index(index))
    }
}

impl<T: fmt::Debug> fmt::Debug for AppendList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::AppendList;

    #[test]
    fn entries_keep_their_index_and_place() {
        for initial in [0, 1, 5] {
            let list: AppendList<usize> = (0..initial).collect();
            for index in initial..initial + 1000 {
                assert_eq!(list.get(index), None);
                assert_eq!(list.push(index), Some(index));
            }
            let first = &raw const list[initial];
            list.push(0);
            assert_eq!(&raw const list[initial], first);
            assert_eq!(list.len(), initial + 1001);
            assert!(list.iter().take(initial + 1000).copied().eq(0..initial + 1000));
        }
    }

    #[test]
    fn a_reader_sees_complete_entries_only() {
        let list: Arc<AppendList<String>> = Arc::new(AppendList::from_iter([]));
        let writer = Arc::clone(&list);
        let adds = thread::spawn(move || {
            for number in 0..5000 {
                writer.push(number.to_string());
            }
        });
        while !adds.is_finished() {
            let len = list.len();
            assert_eq!(list.iter().take(len).count(), len);
        }
        adds.join().unwrap();
        assert!(list.iter().zip(0..5000).all(|(entry, number)| *entry == number.to_string()));
        assert_eq!(list.len(), 5000);
    }
}
