//! Periods with and without the agent, in turn, while the load goes on.
//!
//! What the machine's neighbours do changes from one second to the next and moves every figure by more
//! than the agent does. So each period with the agent is compared with the moments just before its start
//! and just after its end; and the load never pauses, because what follows a pause is slower for a while.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::load::Batch;
use crate::{child::Agent, median};

/// A stretch of time in which nothing changed.
#[derive(Clone, Copy, Debug)]
struct Period {
    began: Instant,
    ended: Instant,
}

/// The periods of a measurement: one without the agent more than with it.
#[derive(Debug, Default)]
pub(super) struct Periods {
    without: Vec<[Period; 3]>,
    with: Vec<Period>,
}

/// What the load took in them, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Without the agent.
    pub(super) without: Vec<f64>,
    /// How much more with it than around it, in per cent.
    pub(super) percent: Vec<f64>,
    /// How much more in the middle of a period without it than around that.
    pub(super) control_percent: Vec<f64>,
}

impl Periods {
    /// Starts and ends the agent `pairs` times, with so much time between; `stop` ends it early.
    pub(super) fn pass(
        pairs: usize,
        slice: Duration,
        arguments: &[&str],
        stop: &AtomicBool,
    ) -> Result<Self> {
        let mut periods = Self::default();
        periods.without.push([(); 3].map(|()| period(slice)));
        for _ in 0..pairs {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let agent = Agent::start_and_wait(arguments)?;
            periods.with.push(period(slice));
            drop(agent);
            periods.without.push([(); 3].map(|()| period(slice)));
        }
        Ok(periods)
    }

    /// Sorts what the load took into the periods; one in which no batch fits tells nothing.
    pub(super) fn take(&self, batches: &[Batch]) -> Taken {
        let of = |period: &Period| within(period, batches);
        let parts: Vec<[f64; 3]> = self.without.iter().map(|p| p.each_ref().map(of)).collect();
        let around = self.with.iter().zip(parts.iter().zip(parts.iter().skip(1)));
        let more = |it: f64, before: f64, after: f64| {
            let percent = (it / f64::midpoint(before, after) - 1.0) * 100.0;
            percent.is_finite().then_some(percent)
        };
        Taken {
            without: parts.iter().map(|part| part[1]).collect(),
            percent: around.filter_map(|(with, (b, a))| more(of(with), b[2], a[0])).collect(),
            control_percent: parts.iter().filter_map(|[a, b, c]| more(*b, *a, *c)).collect(),
        }
    }
}

/// Lets some time pass.
fn period(slice: Duration) -> Period {
    let began = Instant::now();
    thread::sleep(slice);
    Period { began, ended: Instant::now() }
}

/// The median of the batches within a period, so that what disturbs a few of them does not count.
fn within(period: &Period, batches: &[Batch]) -> f64 {
    let first = batches.partition_point(|batch| batch.began < period.began);
    let within = batches[first..].iter().take_while(|batch| batch.ended <= period.ended);
    median::spread(within.map(|batch| batch.each_ns)).median
}
