//! Runs contestants in turns.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use nix::time::{ClockId, clock_gettime};

use crate::queue;

/// Sockets of each thread, whoever probes: none has more than so many probes in flight.
pub(crate) const SOCKETS: u32 = 256;

/// What a contestant did in one round.
pub(crate) struct Run {
    pub(crate) answered: u64,
    /// Probes per second of wall clock.
    pub(crate) per_second: f64,
    /// The same without the time that the probing threads stood in the queue for a CPU.
    pub(crate) net_per_second: f64,
    /// CPU time of the process meanwhile, in nanoseconds. On loopback the server's side runs within
    /// the client's system calls and is counted here.
    pub(crate) cpu_ns: f64,
    /// Probes whose verdict the kernel's events prove, where anybody asks.
    pub(crate) confirmed: Option<u64>,
}

/// Runs so many probes on so many threads.
type Runner = Box<dyn Fn(u64, u32) -> Result<Run>>;

/// Something that runs probes.
pub(crate) struct Contestant {
    pub(crate) name: &'static str,
    pub(crate) threads: u32,
    run: Runner,
}

impl Contestant {
    pub(crate) fn new(
        name: &'static str,
        threads: u32,
        run: impl Fn(u64, u32) -> Result<Run> + 'static,
    ) -> Self {
        Self { name, threads, run: Box::new(run) }
    }
}

/// A contestant's round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    pub(crate) net_per_second: f64,
    /// CPU time per probe, in nanoseconds.
    pub(crate) cpu_ns: f64,
    /// Share of probes that were confirmed.
    pub(crate) confirmed: Option<f64>,
}

/// Runs every contestant once per round, with `probes` probes for each of its threads. The samples
/// of each contestant stand in the order of the rounds.
pub(crate) fn contest(
    contestants: &[Contestant],
    rounds: usize,
    probes: u64,
) -> Result<Vec<Vec<Sample>>> {
    let mut samples: Vec<Vec<Sample>> = contestants.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..contestants.len() {
            // Back and forth, so that nobody is always the one after the same other.
            let at = if round % 2 == 0 { turn } else { contestants.len() - 1 - turn };
            let sample = one(&contestants[at], probes)?;
            let Contestant { name, threads, .. } = &contestants[at];
            let (rate, cpu) = (sample.net_per_second, sample.cpu_ns / 1e3);
            eprintln!("round {}: {name:<32} x{threads} {rate:>9.0}/s {cpu:>7.2} us", round + 1);
            samples[at].push(sample);
        }
    }
    Ok(samples)
}

fn one(contestant: &Contestant, probes: u64) -> Result<Sample> {
    let probes = probes * u64::from(contestant.threads);
    let run = (contestant.run)(probes, contestant.threads)?;
    ensure!(
        run.answered == probes,
        "{}: only {} of {probes} probes were answered",
        contestant.name,
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

/// Runs `probes` probes on `threads` threads and takes the time.
pub(crate) fn on_threads(
    probes: u64,
    threads: u32,
    one: impl Fn(u64) -> Result<u64> + Sync,
) -> Result<Run> {
    let (began, cpu) = (Instant::now(), cpu_time()?);
    let (share, one) = (probes / u64::from(threads), &one);
    let worker = move || -> Result<(u64, Duration)> {
        let answered = one(share)?;
        // The thread began with this work, so that all that it ever waited was within.
        Ok((answered, queue::waited("/proc/thread-self/schedstat".as_ref())?))
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
