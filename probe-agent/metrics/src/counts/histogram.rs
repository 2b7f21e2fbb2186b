//! Handshake times in buckets.

use super::Count;

/// The upper bounds, in nanoseconds. A handshake on this host takes some 50 us. A SYN is retransmitted after
/// 1 s, 3 s and 7 s, so that each retransmit leads to another bucket.
const BOUNDS: [u64; 17] = [
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// The buckets, with the one above all bounds.
pub(crate) const BUCKETS: usize = BOUNDS.len() + 1;

/// The bounds as label values. They are the same in both formats, so that a scraper that changes its mind about
/// the format does not get other series.
pub(crate) const LE: [&str; BUCKETS] = [
    "5e-05", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05",
    "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf",
];

/// The bucket of a time in nanoseconds.
pub(crate) fn bucket_of(ns: u64) -> usize {
    BOUNDS.partition_point(|bound| *bound < ns)
}

/// How many times of one worker are in each bucket.
#[derive(Debug, Default)]
pub(crate) struct Histogram([Count; BUCKETS]);

impl Histogram {
    pub(crate) fn record(&self, bucket: usize) {
        if let Some(count) = self.0.get(bucket) {
            count.add(1);
        }
    }
}

/// The times of all workers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct HistogramTotals {
    pub(crate) buckets: [u64; BUCKETS],
    pub(crate) sum: u64,
}

impl HistogramTotals {
    pub(crate) fn add(&mut self, histogram: &Histogram, sum: u64) {
        for (total, count) in self.buckets.iter_mut().zip(&histogram.0) {
            *total = total.wrapping_add(count.get());
        }
        self.sum = self.sum.wrapping_add(sum);
    }
}

#[cfg(test)]
mod tests {
    use super::{BOUNDS, LE, bucket_of};

    #[test]
    fn the_labels_are_the_bounds() {
        for (bound, le) in BOUNDS.iter().zip(LE) {
            let seconds: f64 = le.parse().unwrap();
            assert_eq!((seconds * 1e9).round() as u64, *bound, "{le}");
        }
        assert!(BOUNDS.is_sorted());
    }

    #[test]
    fn a_bound_belongs_to_its_bucket() {
        for (bucket, bound) in BOUNDS.iter().enumerate() {
            assert_eq!(bucket_of(*bound), bucket);
            assert_eq!(bucket_of(*bound + 1), bucket + 1);
        }
        assert_eq!((bucket_of(0), bucket_of(u64::MAX)), (0, 17));
    }
}
