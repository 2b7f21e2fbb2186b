//! Handshake times: histograms of bounded size, in nanoseconds.

use hdrhistogram::Histogram;

use crate::summary::HandshakeSeconds;

/// Longer times count as this one. No handshake takes that long: the kernel gives up after 127 s
/// (tcp_syn_retries).
const LONGEST_NS: u64 = 300_000_000_000;

/// The exact minimum and maximum, and the count.
#[derive(Clone, Copy, Debug, Default)]
struct Range {
    count: u64,
    min: u64,
    max: u64,
}

impl Range {
    fn record(&mut self, ns: u64) {
        self.min = if self.count == 0 { ns } else { self.min.min(ns) };
        self.max = self.max.max(ns);
        self.count += 1;
    }

    fn merge(&mut self, other: &Self) {
        if other.count > 0 {
            self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
            self.max = self.max.max(other.max);
            self.count += other.count;
        }
    }

    /// The quantiles given by `at`, clamped to the exact minimum and maximum: a histogram's bucket may reach
    /// beyond them.
    fn quantiles(&self, at: impl Fn(f64) -> Option<u64>) -> HandshakeSeconds {
        if self.count == 0 {
            return HandshakeSeconds::default();
        }
        let seconds = |ns: u64| ns as f64 / 1e9;
        let quantile = |q| at(q).map(|ns| seconds(ns.clamp(self.min, self.max)));
        HandshakeSeconds {
            min: Some(seconds(self.min)),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: Some(seconds(self.max)),
        }
    }
}

/// The times of a whole run: 3 significant digits, 240 KiB.
#[derive(Clone, Debug)]
pub(super) struct RunLatency {
    range: Range,
    histogram: Option<Histogram<u64>>,
}

impl RunLatency {
    pub(super) fn new() -> Self {
        // The constructor accepts these constant bounds. Without a histogram, only minimum and maximum would
        // be reported.
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3).ok();
        Self { range: Range::default(), histogram }
    }

    pub(super) fn record(&mut self, ns: u64) {
        self.range.record(ns);
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(ns);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.range.merge(&other.range);
        if let (Some(to), Some(from)) = (&mut self.histogram, &other.histogram) {
            // Both have the same bounds, so no value is out of range.
            let _ = to.add(from);
        }
    }

    pub(super) fn quantiles(&self) -> HandshakeSeconds {
        self.range.quantiles(|q| self.histogram.as_ref().map(|h| h.value_at_quantile(q)))
    }
}

/// The times of one target: 2 significant digits in a histogram that grows with the slowest probe (2 KiB
/// at 0.1 ms, 10 KiB at most). The first two probes need no histogram: they are `min` and `max`.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetLatency {
    range: Range,
    histogram: Option<Box<Histogram<u32>>>,
}

impl TargetLatency {
    pub(super) fn record(&mut self, ns: u64, with_histogram: bool) {
        if with_histogram && self.histogram.is_none() && self.range.count == 2 {
            self.start_histogram();
        }
        self.range.record(ns);
        if let Some(histogram) = &mut self.histogram {
            record_growing(histogram, ns);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        let known = |one: &Self| one.histogram.is_some() || one.range.count <= 2;
        if known(self) && known(other) && self.range.count + other.range.count > 2 {
            if self.histogram.is_none() {
                self.start_histogram();
            }
            if let Some(to) = &mut self.histogram {
                match &other.histogram {
                    // The histogram grows as needed; only an overflow of the sum could fail.
                    Some(from) => drop(to.add(from.as_ref())),
                    None => other.range.ends().for_each(|ns| record_growing(to, ns)),
                }
            }
        } else if self.range.count + other.range.count > 2 {
            self.histogram = None;
        }
        self.range.merge(&other.range);
    }

    /// Starts a histogram with the first two times, which the range remembers.
    fn start_histogram(&mut self) {
        // A resolution of 64 ns is far finer than the 1 % that two digits promise for any handshake. The
        // upper bound grows from 128.
        self.histogram = Histogram::new_with_bounds(64, 128, 2).ok().map(Box::new);
        if let Some(histogram) = &mut self.histogram {
            histogram.auto(true);
            self.range.ends().for_each(|ns| record_growing(histogram, ns));
        }
    }

    pub(super) fn quantiles(&self) -> HandshakeSeconds {
        self.range.quantiles(|q| match (&self.histogram, self.range.count) {
            (Some(histogram), _) => Some(histogram.value_at_quantile(q)),
            (None, 1 | 2) => Some(if q <= 0.5 { self.range.min } else { self.range.max }),
            (None, _) => None,
        })
    }
}

impl Range {
    /// All times, if there were at most two.
    fn ends(&self) -> impl Iterator<Item = u64> + use<> {
        [self.min, self.max].into_iter().take(self.count.min(2) as usize)
    }
}

fn record_growing(histogram: &mut Histogram<u32>, ns: u64) {
    // Recording fails only if the histogram may not grow.
    let _ = histogram.record(ns.min(LONGEST_NS));
}
