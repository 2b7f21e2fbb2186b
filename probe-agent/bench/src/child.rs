//! The `probe-agent` program as a child process.

use std::{
    env, fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use lab::Counters;

use crate::targets_file::TargetsFile;

/// A running `probe-agent check`; dropping it ends it.
pub(crate) struct Agent(Child);

/// How long it may take until its first probe has ended.
const PATIENCE: Duration = Duration::from_secs(20);

impl Agent {
    /// Starts it; its output is discarded.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let child = command(arguments)?.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self(child))
    }

    /// Starts it and waits until its first probe has ended: then every hook is attached. A RST in the
    /// calling thread's network namespace shows that, so no other program may send one there meanwhile.
    pub(crate) fn start_and_wait(arguments: &[&str]) -> Result<Self> {
        let before = resets()?;
        let mut agent = Self::start(arguments)?;
        let began = Instant::now();
        while resets()? == before {
            let ended = agent.0.try_wait()?;
            ensure!(ended.is_none(), "the agent has ended: {ended:?}");
            ensure!(began.elapsed() < PATIENCE, "the agent took {:?} to start", began.elapsed());
            thread::sleep(Duration::from_millis(5));
        }
        Ok(agent)
    }

    /// Starts it with a file of targets and no limit of probes.
    pub(crate) fn start_at(file: &TargetsFile, interval: Duration) -> Result<Self> {
        let interval = format!("{}us", interval.as_micros());
        let path = file.path();
        Self::start(&["--targets-file", &path, "-c", "0", "-i", &interval])
    }

    /// CPU time of all its threads so far, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Result<f64> {
        let mut all = 0.0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let ns = text.split_whitespace().next().and_then(|n| n.parse::<f64>().ok());
            all += ns.context("schedstat has three numbers")?;
        }
        Ok(all)
    }

    /// A size in KiB from `/proc/PID/status`.
    pub(crate) fn size(&self, field: &str) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let value = line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok());
        value.with_context(|| format!("the agent has ended, or has no {field}"))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.0.id() as i32);
        // It is our child and has not been waited for, so no other process has its id.
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

/// RSTs that the calling thread's network namespace has sent so far.
fn resets() -> Result<i64> {
    Counters::here()?.get("TcpOutRsts").context("the kernel counts TcpOutRsts")
}

/// The command, with an environment that has nothing but a `PATH`.
pub(crate) fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.env_clear().arg("check").args(arguments).stdin(Stdio::null());
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    Ok(command)
}

/// The program that `PROBE_AGENT_BIN` names (`cargo xtask bench` sets it), else the one beside this one.
fn program() -> Result<PathBuf> {
    let beside = || Ok::<_, anyhow::Error>(env::current_exe()?.with_file_name("probe-agent"));
    let program = env::var_os("PROBE_AGENT_BIN").map_or_else(beside, |p| Ok(PathBuf::from(p)))?;
    ensure!(program.is_file(), "{} is missing: run `cargo xtask build`", program.display());
    Ok(program)
}
