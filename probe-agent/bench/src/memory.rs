//! Resident memory of the program at so many targets.

use std::{thread, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{arguments::Effort, child::Agent, target::Target, targets_file::TargetsFile};

/// What the program took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) targets: u32,
    /// From one probe of a target to its next, in seconds.
    pub(crate) interval_seconds: f64,
    /// Resident when all targets had been probed, in KiB.
    pub(crate) resident_kib: u64,
    /// Of those: not shared and not backed by a file.
    pub(crate) anonymous_kib: u64,
    /// The most until then, in KiB.
    pub(crate) peak_kib: u64,
}

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Memory>> {
    effort.targets.iter().map(|targets| one(*targets, effort)).collect()
}

fn one(targets: u32, effort: &Effort) -> Result<Memory> {
    let target = Target::listen_everywhere()?;
    let file = TargetsFile::write(targets, target.address().port())?;
    let agent = Agent::start_at(&file, effort.round_trip)?;
    // Every target twice, and those probes settled.
    thread::sleep(effort.round_trip * 2 + Duration::from_millis(500));
    let memory = Memory {
        targets,
        interval_seconds: effort.round_trip.as_secs_f64(),
        resident_kib: agent.size("VmRSS:")?,
        anonymous_kib: agent.size("RssAnon:")?,
        peak_kib: agent.size("VmHWM:")?,
    };
    eprintln!("memory: {targets} targets, {} MiB", memory.resident_kib / 1024);
    Ok(memory)
}
