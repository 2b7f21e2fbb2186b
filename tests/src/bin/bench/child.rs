//! The program itself, running beside the benchmark.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::memory::TargetsFile;

/// A running `probe-agent check`; dropping it ends it.
pub(crate) struct Agent(Child);

/// How long it may take until its first probe is told.
const PATIENCE: Duration = Duration::from_secs(20);

impl Agent {
    /// Starts it; all that it prints is thrown away.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let child = command(arguments)?.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self(child))
    }

    /// Starts it and waits until its first probe is over, so that every hook is in place.
    pub(crate) fn start_and_wait(arguments: &[&str]) -> Result<Self> {
        let mut child = command(arguments)?
            .args(["--output", "jsonl"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = child.stdout.take().context("its output was piped")?;
        let agent = Self(child);
        let mut out = BufReader::new(out);
        let (began, mut line) = (Instant::now(), String::new());
        out.read_line(&mut line)?;
        ensure!(line.contains("\"verdicts\""), "the agent said {line:?}");
        ensure!(began.elapsed() < PATIENCE, "the agent took {:?} to start", began.elapsed());
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Ok(agent)
    }

    /// Starts it at the targets of a file, for as long as it is let.
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

    /// A size in KiB that `/proc/PID/status` tells.
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
        // It is our child and not yet waited for, so the number is its own.
        let _ = kill(pid, Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

fn command(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.env_clear().arg("check").args(arguments).stdin(Stdio::null());
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    Ok(command)
}

/// The one that `PROBE_AGENT_BIN` names (`cargo xtask bench` does), else the one beside this.
fn program() -> Result<PathBuf> {
    let beside = || Ok::<_, anyhow::Error>(env::current_exe()?.with_file_name("probe-agent"));
    let program = env::var_os("PROBE_AGENT_BIN").map_or_else(beside, |p| Ok(PathBuf::from(p)))?;
    ensure!(program.is_file(), "{} is missing: run `cargo xtask build`", program.display());
    Ok(program)
}
