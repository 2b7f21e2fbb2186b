//! Resident memory of the program at so many targets.

use std::{fmt::Write as _, fs, net::Ipv4Addr, path::PathBuf, thread, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{arguments::Effort, child::Agent, target::Target};

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

/// A file of targets, which goes when it is dropped.
pub(crate) struct TargetsFile(PathBuf);

impl TargetsFile {
    /// So many addresses of this host, each with the same port.
    pub(crate) fn write(targets: u32, port: u16) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("probe-agent-bench-{}", std::process::id()));
        fs::write(&path, addresses(targets, port))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> std::borrow::Cow<'_, str> {
        self.0.to_string_lossy()
    }
}

impl Drop for TargetsFile {
    fn drop(&mut self) {
        // What is left in the directory for temporary files harms nobody.
        let _ = fs::remove_file(&self.0);
    }
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
