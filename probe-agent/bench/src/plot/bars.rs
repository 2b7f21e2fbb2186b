//! Groups of bars, each with the range of its rounds.

use super::canvas::{Anchor, Canvas};
use crate::median::Spread;

const GRID: &str = "#e2e8f0";
const DARK: &str = "#4a5568";
const LIMIT: &str = "#c53030";

const LEFT: f64 = 80.0;
const TOP: f64 = 70.0;
const WIDTH: f64 = 330.0;
const HEIGHT: f64 = 240.0;

/// One half of a plot.
pub(super) struct Bars {
    pub(super) title: &'static str,
    pub(super) unit: &'static str,
    pub(super) groups: Vec<Group>,
    /// A line for comparison, and its label.
    pub(super) limit: Option<(f64, &'static str)>,
    pub(super) digits: usize,
}

/// Bars that are drawn together.
pub(super) struct Group {
    pub(super) label: String,
    pub(super) bars: Vec<Bar>,
}

/// One bar.
pub(super) struct Bar {
    pub(super) name: &'static str,
    pub(super) colour: &'static str,
    pub(super) value: Spread,
}

impl Bars {
    pub(super) fn draw(&self, canvas: &mut Canvas, x: f64) {
        let highest = self.groups.iter().flat_map(|g| &g.bars).map(|b| b.value.high);
        let (step, top) = ticks(highest.fold(0.0, f64::max));
        let (left, bottom) = (x + LEFT, TOP + HEIGHT);
        let height = |value: f64| value / top * HEIGHT;
        canvas.text((left, 28.0), 16, Anchor::Start, self.title);
        canvas.upward((x + 16.0, TOP + HEIGHT / 2.0), 12, self.unit);
        let mut tick = 0.0;
        while tick <= top {
            let y = bottom - height(tick);
            canvas.line((left, y), (left + WIDTH, y), GRID, "");
            canvas.text((left - 6.0, y + 4.0), 11, Anchor::End, &number(tick, self.digits.min(1)));
            tick += step;
        }
        let room = WIDTH / self.groups.len() as f64;
        for (at, group) in self.groups.iter().enumerate() {
            let start = left + room * at as f64;
            self.group(canvas, group, start, room, &height);
            let middle = start + room / 2.0;
            canvas.text((middle, bottom + 20.0), 12, Anchor::Middle, &group.label);
        }
        if let Some((limit, name)) = self.limit {
            let y = bottom - height(limit);
            canvas.line((left, y), (left + WIDTH, y), LIMIT, "5 4");
            let text = format!("{name}: {limit}");
            canvas.text((left + WIDTH, TOP - 8.0), 11, Anchor::End, &text);
            canvas.line(
                (left + WIDTH - 160.0, TOP - 12.0),
                (left + WIDTH - 140.0, TOP - 12.0),
                LIMIT,
                "5 4",
            );
        }
        self.legend(canvas, left);
    }

    fn group(
        &self,
        canvas: &mut Canvas,
        group: &Group,
        start: f64,
        room: f64,
        height: &impl Fn(f64) -> f64,
    ) {
        let bottom = TOP + HEIGHT;
        let wide = room * 0.8 / group.bars.len() as f64;
        for (at, bar) in group.bars.iter().enumerate() {
            let x = start + room * 0.1 + wide * at as f64;
            let (tall, middle) = (height(bar.value.median), x + wide / 2.0);
            canvas.rectangle((x + 2.0, bottom - tall), (wide - 4.0, tall), bar.colour);
            let (low, high) = (bottom - height(bar.value.low), bottom - height(bar.value.high));
            canvas.line((middle, low), (middle, high), DARK, "");
            let text = number(bar.value.median, self.digits);
            canvas.text((middle, high - 5.0), 11, Anchor::Middle, &text);
        }
    }

    fn legend(&self, canvas: &mut Canvas, left: f64) {
        let bars = self.groups.first().map(|g| g.bars.as_slice()).unwrap_or_default();
        let mut x = left;
        for bar in bars {
            canvas.rectangle((x, TOP + HEIGHT + 42.0), (12.0, 12.0), bar.colour);
            canvas.text((x + 17.0, TOP + HEIGHT + 52.0), 11, Anchor::Start, bar.name);
            x += 28.0 + 5.4 * bar.name.len() as f64;
        }
        let note = "bar: median of the rounds; line: their range";
        canvas.text((left, TOP + HEIGHT + 76.0), 10, Anchor::Start, note);
    }
}

/// Distance of the grid's lines, and the highest of them.
fn ticks(highest: f64) -> (f64, f64) {
    let rough = (highest / 5.0).max(f64::MIN_POSITIVE);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|s| *s >= rough);
    let step = step.unwrap_or(power * 10.0);
    (step, (highest * 1.05 / step).ceil() * step)
}

/// A number with a comma for thousands.
fn number(value: f64, digits: usize) -> String {
    if value < 1000.0 {
        return format!("{value:.digits$}");
    }
    let thousands = (value / 1000.0).floor();
    format!("{thousands:.0},{:03.0}", (value - thousands * 1000.0).floor())
}
