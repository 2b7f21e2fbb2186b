//! How many probes may be in flight.

/// How long a shortage lowers the limit, in nanoseconds: long enough for the cost of the next attempt
/// (some hundred ports at worst) not to matter.
const HOLD: u64 = 1_000_000_000;

/// The configured limit. For a while after a shortage of ports or descriptors the limit is lower: the
/// number of probes that there was room for. Later, other programs may have released some.
#[derive(Debug)]
pub(crate) struct InFlightLimit {
    configured: usize,
    /// A lower limit, and the time until which it holds.
    lowered: Option<(usize, u64)>,
}

impl InFlightLimit {
    pub(crate) fn new(configured: usize) -> Self {
        Self { configured, lowered: None }
    }

    /// The limit at `now`.
    pub(crate) fn at(&self, now: u64) -> usize {
        match self.lowered {
            Some((lowered, until)) if now < until => lowered,
            _ => self.configured,
        }
    }

    /// There was room for `in_flight` probes and no more.
    pub(crate) fn lower(&mut self, in_flight: usize, now: u64) {
        self.lowered = Some((in_flight, now + HOLD));
    }
}

#[cfg(test)]
mod tests {
    use super::{HOLD, InFlightLimit};

    #[test]
    fn a_lowered_limit_is_restored_after_a_while() {
        let mut limit = InFlightLimit::new(256);
        assert_eq!(limit.at(0), 256);
        limit.lower(10, 5);
        assert_eq!((limit.at(5), limit.at(4 + HOLD), limit.at(5 + HOLD)), (10, 10, 256));
        limit.lower(8, 6 + HOLD);
        assert_eq!(limit.at(6 + HOLD), 8);
    }
}
