//! The machine, and how busy it was meanwhile.

use std::fs;

use anyhow::{Context as _, Result};
use serde::Serialize;

/// What is reported of the machine; nothing identifies it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) kernel: String,
    pub(crate) cpus: usize,
    /// Average number of runnable threads in the minute before the benchmark.
    pub(crate) load_before: f64,
    /// The same in the last minute of the benchmark, including its own threads.
    pub(crate) load_after: f64,
    /// Share of CPU time that other machines on the same host took, in per cent.
    pub(crate) stolen_percent: f64,
}

/// The state of the machine before the benchmark.
pub(crate) struct Machine {
    load: f64,
    times: Times,
}

impl Machine {
    pub(crate) fn read() -> Result<Self> {
        Ok(Self { load: load()?, times: times()? })
    }

    pub(crate) fn report(&self) -> Result<Report> {
        let now = times()?;
        let all = (now.all - self.times.all).max(1);
        let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        // Major and minor: the rest identifies a build.
        let kernel = release.split(['.', '-']).take(2).collect::<Vec<_>>().join(".");
        Ok(Report {
            kernel: format!("Linux {}", kernel.trim()),
            cpus: std::thread::available_parallelism()?.get(),
            load_before: self.load,
            load_after: load()?,
            stolen_percent: (now.stolen - self.times.stolen) as f64 / all as f64 * 100.0,
        })
    }
}

fn load() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg")?;
    text.split_whitespace().next().and_then(|n| n.parse().ok()).context("/proc/loadavg")
}

struct Times {
    all: u64,
    stolen: u64,
}

fn times() -> Result<Times> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("/proc/stat")?;
    let ticks: Vec<u64> = line.split_whitespace().skip(1).filter_map(|n| n.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; the guests' are in `user` already.
    Ok(Times { all: ticks.iter().take(8).sum(), stolen: ticks.get(7).copied().unwrap_or(0) })
}
