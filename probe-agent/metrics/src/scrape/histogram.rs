//! The series of a histogram.

use crate::{
    counts::{HistogramTotals, LE},
    exemplar::Exemplar,
    page::{Page, Value},
};

/// Writes buckets, sum and count. `exemplar` is called with each bucket.
pub(super) fn write_histogram(
    page: &mut Page,
    labels: &str,
    totals: &HistogramTotals,
    exemplar: impl Fn(usize) -> Option<Exemplar>,
) {
    let mut below = 0_u64;
    for (at, (le, count)) in LE.iter().zip(totals.buckets).enumerate() {
        below = below.wrapping_add(count);
        page.sample("_bucket", labels, &[("le", le)], Value::Count(below), exemplar(at));
    }
    page.sample("_sum", labels, &[], Value::Nanos(totals.sum), None);
    page.sample("_count", labels, &[], Value::Count(below), None);
}
