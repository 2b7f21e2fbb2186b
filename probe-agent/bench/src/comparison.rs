//! Runs candidates in turn and samples each round.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use nix::time::{ClockId, clock_gettime};

use crate::cpu_wait;

/// Sockets of each thread of every candidate, and the most probes that it has in flight.
pub(crate) const SOCKETS: u32 = 256;

/// What a candidate did in one round.
pub(crate) struct Run {
    pub(crate) answered: u64,
    /// Probes per second of wall clock.
    pub(crate) per_second: f64,
    /// The same, excluding the time that the probing threads waited for a CPU.
    pub(crate) net_per_second: f64,
    /// CPU time of the process meanwhile, in nanoseconds. On loopback it includes the server's side, which
    /// runs within the client's system calls.
    pub(crate) cpu_ns: f64,
    /// Probes whose verdict is confirmed, if the candidate has verdicts.
    pub(crate) confirmed: Option<u64>,
}

/// Runs a number of probes on a number of threads.
type Runner = Box<dyn Fn(u64, u32) -> Result<Run>>;

/// Something that runs probes.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) threads: u32,
    run: Runner,
}

impl Candidate {
    pub(crate) fn new(
        name: &'static str,
        threads: u32,
        run: impl Fn(u64, u32) -> Result<Run> + 'static,
    ) -> Self {
        Self { name, threads, run: Box::new(run) }
    }
}

/// A candidate's round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    pub(crate) net_per_second: f64,
    /// CPU time per probe, in nanoseconds.
    pub(crate) cpu_ns: f64,
    /// Share of probes that were confirmed.
    pub(crate) confirmed: Option<f64>,
}

/// Runs every candidate once per round, with `probes` probes for each of its threads. Returns the samples
/// of each candidate in the order of the rounds.
pub(crate) fn compare(
    candidates: &[Candidate],
    rounds: usize,
    probes: u64,
) -> Result<Vec<Vec<Sample>>> {
    let mut samples: Vec<Vec<Sample>> = candidates.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..candidates.len() {
            // Back and forth: no candidate always follows the same other one.
            let at = if round % 2 == 0 { turn } else { candidates.len() - 1 - turn };
            let sample = one(&candidates[at], probes)?;
            let Candidate { name, threads, .. } = &candidates[at];
            let (rate, cpu) = (sample.net_per_second, sample.cpu_ns / 1e3);
            eprintln!("round {}: {name:<32} x{threads} {rate:>9.0}/s {cpu:>7.2} us", round + 1);
            samples[at].push(sample);
        }
    }
    Ok(samples)
}

fn one(candidate: &Candidate, probes: u64) -> Result<Sample> {
    let probes = probes * u64::from(candidate.threads);
    let run = (candidate.run)(probes, candidate.threads)?;
    ensure!(
        run.answered == probes,
        "{}: only {} of {probes} probes were answered",
        candidate.name,
        run.answered
    );
    Ok(Sample {
        per_second: run.per_second,
        net_per_second: run.net_per_second,
        cpu_ns: run.cpu_ns / probes as f64,
        confirmed: run.confirmed.map(|n| n as f64 / probes as f64),
    })
}

/// CPU time of this process, in nanoseconds.
pub(crate) fn cpu_time() -> Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 * 1e9 + time.tv_nsec() as f64)
}

/// Runs `probes` probes on `threads` threads and measures the time.
pub(crate) fn on_threads(
    probes: u64,
    threads: u32,
    one: impl Fn(u64) -> Result<u64> + Sync,
) -> Result<Run> {
    let (began, cpu) = (Instant::now(), cpu_time()?);
    let (share, one) = (probes / u64::from(threads), &one);
    let worker = move || -> Result<(u64, Duration)> {
        let answered = one(share)?;
        // The thread started with this work, so its whole wait belongs to it.
        Ok((answered, cpu_wait::waited("/proc/thread-self/schedstat".as_ref())?))
    };
    let done = thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        handles.into_iter().map(|h| h.join().expect("no panic")).collect::<Result<Vec<_>>>()
    })?;
    let (took, cpu_ns) = (began.elapsed(), cpu_time()? - cpu);
    let answered = done.iter().map(|(answered, _)| answered).sum();
    let waited = done.iter().map(|(_, waited)| *waited).sum::<Duration>() / threads;
    Ok(Run {
        answered,
        per_second: answered as f64 / took.as_secs_f64(),
        net_per_second: answered as f64 / took.saturating_sub(waited).as_secs_f64(),
        cpu_ns,
        confirmed: None,
    })
}
