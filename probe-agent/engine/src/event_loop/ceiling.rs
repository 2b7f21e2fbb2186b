//! How many probes may be in flight.

/// After a shortage, in nanoseconds, no more is tried for than there was room for. Long enough for
/// the trying (some hundred ports at worst) to cost nothing.
const HOLD: u64 = 1_000_000_000;

/// What was asked for, and for a while after a shortage of ports or descriptors what there was room
/// for: others may give back what they took.
#[derive(Debug)]
pub(super) struct Ceiling {
    full: usize,
    /// A lower one, and until when it holds.
    held: Option<(usize, u64)>,
}

impl Ceiling {
    pub(super) fn new(full: usize) -> Self {
        Self { full, held: None }
    }

    /// The ceiling at a time.
    pub(super) fn at(&self, now: u64) -> usize {
        match self.held {
            Some((held, until)) if now < until => held,
            _ => self.full,
        }
    }

    /// There was room for so many and no more.
    pub(super) fn lower(&mut self, flying: usize, now: u64) {
        self.held = Some((flying, now + HOLD));
    }
}

#[cfg(test)]
mod tests {
    use super::{Ceiling, HOLD};

    #[test]
    fn it_comes_back() {
        let mut ceiling = Ceiling::new(256);
        assert_eq!(ceiling.at(0), 256);
        ceiling.lower(10, 5);
        assert_eq!((ceiling.at(5), ceiling.at(4 + HOLD), ceiling.at(5 + HOLD)), (10, 10, 256));
        ceiling.lower(8, 6 + HOLD);
        assert_eq!(ceiling.at(6 + HOLD), 8);
    }
}
