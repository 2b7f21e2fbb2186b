//! Periods with and without the agent, in turn, under a constant load.
//!
//! The machine's neighbours change every figure by more than the agent does, from one second to the next.
//! So each period with the agent is compared with the time just before its start and just after its end.
//! The load never pauses, because it is slower for a while after a pause.

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

/// The periods of a measurement. There is one more without the agent than with it.
#[derive(Debug, Default)]
pub(super) struct Periods {
    without: Vec<[Period; 3]>,
    with: Vec<Period>,
}

/// The CPU time of the load in them, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Without the agent.
    pub(super) without: Vec<f64>,
    /// How much more with the agent than before and after, in per cent.
    pub(super) percent: Vec<f64>,
    /// How much more in the middle of a period without the agent than before and after, in per cent.
    pub(super) control_percent: Vec<f64>,
}

impl Periods {
    /// Starts and ends the agent `pairs` times, each `slice` long; `stop` ends it early.
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

    /// Sorts the batches of the load into the periods. A period without a batch does not count.
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

/// Waits for `slice`.
fn period(slice: Duration) -> Period {
    let began = Instant::now();
    thread::sleep(slice);
    Period { began, ended: Instant::now() }
}

/// The median of the batches within a period: a few disturbed batches do not change it.
fn within(period: &Period, batches: &[Batch]) -> f64 {
    let first = batches.partition_point(|batch| batch.began < period.began);
    let within = batches[first..].iter().take_while(|batch| batch.ended <= period.ended);
    median::spread(within.map(|batch| batch.each_ns)).median
}
