//! What a metric is called, and what it means.

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the agent starts again.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Cumulative buckets, with count and sum.
    Histogram,
}

impl Kind {
    /// The word of both formats.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric: all its series.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name, as in the text format.
    pub name: &'static str,
    /// What kind of metric it is.
    pub kind: Kind,
    /// The labels of its series, beside those of a target.
    pub labels: &'static [&'static str],
    /// How many series it has at most.
    pub bound: &'static str,
    /// What it means.
    pub help: &'static str,
}

pub(crate) const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    bound: &'static str,
    help: &'static str,
) -> Family {
    Family { name, kind: Kind::Counter, labels, bound, help }
}

pub(crate) const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    bound: &'static str,
    help: &'static str,
) -> Family {
    Family { name, kind: Kind::Gauge, labels, bound, help }
}

pub(crate) const fn histogram(
    name: &'static str,
    bound: &'static str,
    help: &'static str,
) -> Family {
    Family { name, kind: Kind::Histogram, labels: &["le"], bound, help }
}
