//! Medians and ranges.

use serde::Serialize;

/// Median, lowest and highest of the rounds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Spread {
    /// Of a single figure.
    pub(crate) fn one(value: f64) -> Self {
        Self { median: value, low: value, high: value }
    }
}

/// Median and range of at least one figure.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> Spread {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.as_slice() {
        [] => Spread::default(),
        [low, ..] => {
            // With an even number, half way between the two in the middle.
            let median = f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2]);
            Spread { median, low: *low, high: values[values.len() - 1] }
        }
    }
}

/// The median of figures with large errors, with its 95 % confidence interval in place of lowest and
/// highest. By order statistics: each figure is above or below the true median with equal probability.
pub(crate) fn middle(values: impl IntoIterator<Item = f64>) -> Spread {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() as f64 / 2.0;
    let away = 0.98 * (values.len() as f64).sqrt();
    // The rank counts from 1, the index from 0.
    let low = ((half - away).floor() - 1.0).max(0.0) as usize;
    let high = values.len().saturating_sub(1 + low);
    match (values.get(low), values.get(high)) {
        (Some(&low), Some(&high)) => Spread { low, high, ..spread(values) },
        _ => Spread::default(),
    }
}

/// A quantile of sorted figures, of which there is at least one.
pub(crate) fn quantile(sorted: &[f64], at: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    sorted[(last * at).round() as usize]
}
