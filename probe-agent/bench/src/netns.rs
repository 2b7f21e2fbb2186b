//! A private network namespace: no rules, ports or traffic of other programs.

use std::{fs, process::Command};

use anyhow::{Result, ensure};
use nix::sched::{CloneFlags, unshare};

/// Moves this process, which must have no other thread yet, into a fresh namespace.
pub(crate) fn enter() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET)?;
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    ensure!(status.success(), "`ip link set lo up` failed");
    // Closed connections would fill the TIME_WAIT table and occupy the source ports.
    fs::write("/proc/sys/net/ipv4/tcp_max_tw_buckets", "1")?;
    Ok(())
}
