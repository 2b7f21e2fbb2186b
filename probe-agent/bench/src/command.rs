//! Whole commands, as a user runs them: the agent with each of its outputs, and the usual design.
//!
//! Everything counts: start-up, hooks, the settle window of the last probe, output and shut-down.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use serde::Serialize;

use crate::{
    arguments::Effort,
    child,
    median::{Spread, spread},
    otlp_sink::OtlpSink,
    target::Target,
    usual_design,
};

/// The names, which the targets refer to.
pub(crate) const TABLE: &str = "probe-agent check";
pub(crate) const JSONL: &str = "probe-agent check -o jsonl";
const OTLP: &str = "probe-agent check --otlp-endpoint";
const USUAL: &str = "usual design: tasks, fresh sockets";

/// What a command took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) name: &'static str,
    pub(crate) probes: u64,
    /// From its start to its end, in seconds.
    pub(crate) wall_seconds: Spread,
    /// CPU time per probe, in nanoseconds; on loopback it includes the server's side.
    pub(crate) cpu_ns: Spread,
    /// How many times as long the usual design took in the same round.
    pub(crate) faster: Spread,
    /// How many times as much CPU time the usual design used in the same round.
    pub(crate) cheaper: Spread,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    wall_seconds: f64,
    cpu_ns: f64,
}

/// Makes the command that runs so many probes.
type Make = Box<dyn Fn(u64) -> Result<Command>>;

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Figures>> {
    let target = Target::listen()?;
    let sink = OtlpSink::start()?;
    let commands = commands(target.address(), sink.url());
    let rounds = (0..effort.rounds).map(|_| {
        commands.iter().map(|(name, make)| one(name, make, effort.command_probes)).collect()
    });
    let rounds: Vec<Vec<Sample>> = rounds.collect::<Result<_>>()?;
    ensure!(sink.received() > 0, "no spans were exported");
    let usual = commands.len() - 1;
    let figures = commands.iter().enumerate().map(|(at, (name, _))| {
        let of = |value: fn(&Sample) -> f64| spread(rounds.iter().map(|round| value(&round[at])));
        let over_usual = |value: fn(&Sample) -> f64| {
            spread(rounds.iter().map(|round| value(&round[usual]) / value(&round[at])))
        };
        Figures {
            name,
            probes: effort.command_probes,
            wall_seconds: of(|sample| sample.wall_seconds),
            cpu_ns: of(|sample| sample.cpu_ns),
            faster: over_usual(|sample| sample.wall_seconds),
            cheaper: over_usual(|sample| sample.cpu_ns),
        }
    });
    Ok(figures.collect())
}

/// The commands, the usual design last.
fn commands(target: SocketAddr, otlp: String) -> Vec<(&'static str, Make)> {
    let agent = move |more: Vec<String>| -> Make {
        Box::new(move |probes| {
            let count = probes.to_string();
            let mut command = child::command(&[&target.to_string(), "-c", &count, "-i", "0"])?;
            command.args(&more);
            Ok(command)
        })
    };
    vec![
        (TABLE, agent(Vec::new())),
        (JSONL, agent(vec!["--output".to_owned(), "jsonl".to_owned()])),
        (OTLP, agent(vec!["--otlp-endpoint".to_owned(), otlp])),
        (USUAL, Box::new(move |probes| usual_design::command(target, probes))),
    ]
}

fn one(name: &str, make: &Make, probes: u64) -> Result<Sample> {
    let mut command = make(probes)?;
    let before = cpu_of_children()?;
    let began = Instant::now();
    // A pipe or a terminal would add the work of its reader.
    let run = command.stdout(Stdio::null()).stderr(Stdio::piped()).output()?;
    let wall_seconds = began.elapsed().as_secs_f64();
    ensure!(run.status.success(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
    let sample = Sample { wall_seconds, cpu_ns: (cpu_of_children()? - before) / probes as f64 };
    eprintln!("{name:<36} {wall_seconds:>7.3} s {:>7.2} us", sample.cpu_ns / 1e3);
    Ok(sample)
}

/// CPU time of all children that have ended so far, in nanoseconds.
fn cpu_of_children() -> Result<f64> {
    let usage: Usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("getrusage")?;
    let ns =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e9 + time.tv_usec() as f64 * 1e3;
    Ok(ns(usage.user_time()) + ns(usage.system_time()))
}
