//! The results as plots: plain SVG, which any browser shows.
//!
//! Each plot has a light background, so it is legible on a dark page too.

mod bars;
mod canvas;
mod lines;

use self::{
    bars::{Bar, Bars, Group},
    canvas::Canvas,
    lines::{Curve, Lines},
};
use crate::{
    results::Results,
    throughput::{AGENT, FLOOR, FRESH, Figures},
};

/// Colours that colour-blind readers can distinguish. Each has the same meaning in all plots.
const GREY: &str = "#8d99ae";
const ORANGE: &str = "#e08e45";
const BLUE: &str = "#2b6cb0";
const PALE: &str = "#90b8e0";

/// The plot of throughput and CPU time; `None` if that was not measured.
pub(crate) fn probes(results: &Results) -> Option<String> {
    let group = |threads: u32, value: fn(&Figures) -> crate::median::Spread| {
        let bar = |(name, colour): (&'static str, &'static str)| {
            let figures =
                results.throughput.iter().find(|f| f.name == name && f.threads == threads)?;
            Some(Bar { name, colour, value: value(figures) })
        };
        let bars: Option<Vec<Bar>> =
            [(FLOOR, GREY), (AGENT, BLUE), (FRESH, ORANGE)].into_iter().map(bar).collect();
        let label = if threads == 1 { "1 thread" } else { "2 threads" };
        Some(Group { label: label.to_owned(), bars: bars? })
    };
    let mut canvas = Canvas::new(900.0, 400.0);
    let rate = Bars {
        title: "Throughput",
        unit: "probes per second",
        groups: vec![group(1, |f| f.per_second)?, group(2, |f| f.per_second)?],
        limit: None,
        digits: 0,
    };
    rate.draw(&mut canvas, 0.0);
    let cpu = Bars {
        title: "CPU time per probe",
        unit: "multiple of bare system calls",
        groups: vec![group(1, |f| f.over_floor)?, group(2, |f| f.over_floor)?],
        limit: Some((1.4, "target of the agent")),
        digits: 2,
    };
    cpu.draw(&mut canvas, 430.0);
    Some(canvas.finish("Throughput and CPU time per probe"))
}

/// The plot of latency error and memory; `None` if either was not measured.
pub(crate) fn accuracy(results: &Results) -> Option<String> {
    if results.latency.is_empty() || results.memory.is_empty() {
        return None;
    }
    let mut canvas = Canvas::new(900.0, 400.0);
    let colours = [BLUE, ORANGE, PALE, GREY];
    let curves = results.latency.iter().zip(colours).map(|(difference, colour)| Curve {
        name: format!("{}, {}", difference.timed_by, difference.pace),
        colour,
        points: difference
            .curve
            .iter()
            .map(|(share, ns)| (share * 100.0, (ns / 1e3).max(0.1)))
            .collect(),
    });
    Lines {
        title: "Handshake time: more than in the capture",
        across: "share of probes, %",
        up: "us (logarithmic)",
        log_across: false,
        curves: curves.collect(),
    }
    .draw(&mut canvas, 0.0);
    let memory = |name: &str, colour, kib: fn(&crate::memory::Memory) -> u64| Curve {
        name: name.to_owned(),
        colour,
        points: results
            .memory
            .iter()
            .map(|m| (f64::from(m.targets), kib(m) as f64 / 1024.0))
            .collect(),
    };
    Lines {
        title: "Memory of the program",
        across: "targets (logarithmic)",
        up: "MiB (logarithmic)",
        log_across: true,
        curves: vec![
            memory("resident", BLUE, |m| m.resident_kib),
            memory("of it anonymous", ORANGE, |m| m.anonymous_kib),
        ],
    }
    .draw(&mut canvas, 430.0);
    Some(canvas.finish("Latency error and memory"))
}
