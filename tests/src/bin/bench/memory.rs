//! Resident memory of the program at so many targets.

use std::{fmt::Write as _, fs, net::Ipv4Addr, thread, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{arguments::Effort, child::Agent, target::Target};

/// What the program took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Memory {
    pub(crate) targets: u32,
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
    let file = std::env::temp_dir().join(format!("probe-agent-bench-{}", std::process::id()));
    fs::write(&file, addresses(targets, target.address().port()))?;
    let interval = format!("{}ms", effort.round_trip.as_millis());
    let path = file.to_string_lossy();
    let arguments = ["--targets-file", &path, "-c", "0", "-i", &interval, "--output", "json"];
    let agent = Agent::start(&arguments)?;
    // Every target twice, and those probes settled.
    thread::sleep(effort.round_trip * 2 + Duration::from_millis(500));
    let memory = Memory {
        targets,
        resident_kib: agent.size("VmRSS:")?,
        anonymous_kib: agent.size("RssAnon:")?,
        peak_kib: agent.size("VmHWM:")?,
    };
    fs::remove_file(&file)?;
    eprintln!("memory: {targets} targets, {} MiB", memory.resident_kib / 1024);
    Ok(memory)
}

/// All of 127.0.0.0/8 is this host.
fn addresses(targets: u32, port: u16) -> String {
    let first = u32::from(Ipv4Addr::new(127, 1, 0, 1));
    let mut text = String::new();
    for target in 0..targets {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:{port}", Ipv4Addr::from(first + target));
    }
    text
}
