//! Resident memory of the program by number of targets.

use std::{thread, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{arguments::Effort, child::Agent, target::Target, targets_file::TargetsFile};

/// The memory of the program.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) targets: u32,
    /// From one probe of a target to its next, in seconds.
    pub(crate) interval_seconds: f64,
    /// Resident when all targets had been probed, in KiB.
    pub(crate) resident_kib: u64,
    /// The part that is neither shared nor backed by a file.
    pub(crate) anonymous_kib: u64,
    /// The peak until then, in KiB.
    pub(crate) peak_kib: u64,
}

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Memory>> {
    effort.targets.iter().map(|targets| one(*targets, effort)).collect()
}

fn one(targets: u32, effort: &Effort) -> Result<Memory> {
    let target = Target::listen_everywhere()?;
    let file = TargetsFile::write(targets, target.address().port())?;
    let agent = Agent::start_at(&file, effort.memory_interval)?;
    // Until every target has been probed twice and those probes have settled.
    thread::sleep(effort.memory_interval * 2 + Duration::from_millis(500));
    let memory = Memory {
        targets,
        interval_seconds: effort.memory_interval.as_secs_f64(),
        resident_kib: agent.size("VmRSS:")?,
        anonymous_kib: agent.size("RssAnon:")?,
        peak_kib: agent.size("VmHWM:")?,
    };
    eprintln!("memory: {targets} targets, {} MiB", memory.resident_kib / 1024);
    Ok(memory)
}
