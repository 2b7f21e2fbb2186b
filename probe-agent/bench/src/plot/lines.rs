//! Curves with a logarithmic vertical axis.

use super::canvas::{Anchor, Canvas};

const GRID: &str = "#e2e8f0";

const LEFT: f64 = 80.0;
const TOP: f64 = 50.0;
const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 225.0;

/// One half of a plot.
pub(super) struct Lines {
    pub(super) title: &'static str,
    pub(super) across: &'static str,
    pub(super) up: &'static str,
    /// Whether the horizontal axis is logarithmic too.
    pub(super) log_across: bool,
    pub(super) curves: Vec<Curve>,
}

/// One curve.
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) colour: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

impl Lines {
    pub(super) fn draw(&self, canvas: &mut Canvas, x: f64) {
        let points = || self.curves.iter().flat_map(|c| &c.points);
        let (low, high) = decades(points().map(|p| p.1));
        let across = if self.log_across { decades(points().map(|p| p.0)) } else { (0, 0) };
        let (left, bottom) = (x + LEFT, TOP + HEIGHT);
        let y = |value: f64| bottom - scaled(value, low, high) * HEIGHT;
        let x_of = |value: f64| {
            let share =
                if self.log_across { scaled(value, across.0, across.1) } else { value / 100.0 };
            left + share * WIDTH
        };
        canvas.text((left, 28.0), 16, Anchor::Start, self.title);
        canvas.upward((x + 16.0, TOP + HEIGHT / 2.0), 12, self.up);
        canvas.text((left + WIDTH / 2.0, bottom + 38.0), 12, Anchor::Middle, self.across);
        for decade in low..=high {
            let value = 10_f64.powi(decade);
            canvas.line((left, y(value)), (left + WIDTH, y(value)), GRID, "");
            canvas.text((left - 6.0, y(value) + 4.0), 11, Anchor::End, &plain(value));
        }
        let ticks: Vec<f64> = if self.log_across {
            (across.0..=across.1).map(|d| 10_f64.powi(d)).collect()
        } else {
            vec![0.0, 25.0, 50.0, 75.0, 100.0]
        };
        for tick in ticks {
            canvas.line((x_of(tick), TOP), (x_of(tick), bottom), GRID, "");
            canvas.text((x_of(tick), bottom + 18.0), 11, Anchor::Middle, &plain(tick));
        }
        for (at, curve) in self.curves.iter().enumerate() {
            let points: Vec<_> = curve.points.iter().map(|p| (x_of(p.0), y(p.1))).collect();
            canvas.curve(&points, curve.colour);
            let row = bottom + 58.0 + 16.0 * at as f64;
            canvas.rectangle((left, row - 9.0), (12.0, 10.0), curve.colour);
            canvas.text((left + 18.0, row), 11, Anchor::Start, &curve.name);
        }
    }
}

/// The powers of ten around all values, which are above 0.
fn decades(values: impl Iterator<Item = f64>) -> (i32, i32) {
    let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let low = low.min(high).log10().floor() as i32;
    (low, (high.log10().ceil() as i32).max(low + 1))
}

fn scaled(value: f64, low: i32, high: i32) -> f64 {
    (value.log10() - f64::from(low)) / f64::from(high - low)
}

fn plain(value: f64) -> String {
    if value >= 1000.0 { format!("{:.0},000", value / 1000.0) } else { format!("{value}") }
}
