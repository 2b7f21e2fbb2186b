//! Runs contestants in turns and takes the median of each.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use nix::time::{ClockId, clock_gettime};

/// What a contestant did in one round.
pub(crate) struct Run {
    pub(crate) answered: u64,
    /// From the first probe's start to the last one's end.
    pub(crate) took: Duration,
    /// CPU time of the process meanwhile, in nanoseconds.
    pub(crate) cpu_ns: f64,
}

/// Something that runs probes.
pub(crate) struct Contestant {
    name: &'static str,
    run: Box<dyn Fn() -> Result<Run>>,
}

impl Contestant {
    pub(crate) fn new(name: &'static str, run: impl Fn() -> Result<Run> + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// The median of a contestant's rounds.
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) per_second: f64,
    /// CPU time of the process per probe, in nanoseconds. On loopback the server's side runs within
    /// the client's system calls and is counted here.
    pub(crate) cpu_ns: f64,
}

/// Runs every contestant once per round.
pub(crate) fn contest(
    contestants: &[Contestant],
    rounds: usize,
    probes: u64,
) -> Result<Vec<Figures>> {
    let mut samples: Vec<Vec<(f64, f64)>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for (contestant, samples) in contestants.iter().zip(&mut samples) {
            let run = (contestant.run)()?;
            ensure!(
                run.answered == probes,
                "{}: only {} of {probes} probes were answered",
                contestant.name,
                run.answered
            );
            let sample = (probes as f64 / run.took.as_secs_f64(), run.cpu_ns / probes as f64);
            eprintln!(
                "round {}: {:<34} {:>9.0}/s {:>8.2} us",
                round + 1,
                contestant.name,
                sample.0,
                sample.1 / 1e3
            );
            samples.push(sample);
        }
    }
    Ok(contestants
        .iter()
        .zip(samples)
        .map(|(contestant, samples)| Figures {
            name: contestant.name,
            per_second: median(samples.iter().map(|s| s.0)),
            cpu_ns: median(samples.iter().map(|s| s.1)),
        })
        .collect())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU time of this process, in nanoseconds.
pub(crate) fn cpu_time() -> Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 * 1e9 + time.tv_nsec() as f64)
}

/// Runs `probes` probes on `threads` threads and takes the time.
pub(crate) fn on_threads(
    probes: u64,
    threads: u32,
    one: impl Fn(u64) -> Result<u64> + Sync,
) -> Result<Run> {
    let (began, cpu) = (Instant::now(), cpu_time()?);
    let (share, one) = (probes / u64::from(threads), &one);
    let answered = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(move || one(share))).collect();
        handles.into_iter().map(|h| h.join().expect("no panic")).sum::<Result<u64>>()
    })?;
    Ok(Run { answered, took: began.elapsed(), cpu_ns: cpu_time()? - cpu })
}
