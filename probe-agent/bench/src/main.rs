//! `cargo xtask bench`: what the agent costs, beside two baselines in the same run.
//!
//! The machine may be shared and noisy. Therefore the candidates take turns, ratios are taken within one
//! round, and the median of the rounds counts; the load is reported beside it. Everything runs in a
//! private network namespace.

mod accuracy;
mod agent;
mod arguments;
mod child;
mod command;
mod comparison;
mod cost;
mod cpu_wait;
mod deadline;
mod floor;
mod fresh;
mod latency;
mod machine;
mod median;
mod memory;
mod netns;
mod otlp_sink;
mod plot;
mod results;
mod stealth;
mod table;
mod target;
mod targets;
mod targets_file;
mod throughput;
mod unrelated;
mod usual_design;

use std::fs;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::{
    arguments::{Arguments, Part},
    machine::Machine,
    results::Results,
};

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some((target, probes)) = arguments.usual_design() {
        return usual_design::run(target, probes);
    }
    let effort = arguments.effort();
    netns::enter().context("cannot enter a private network namespace (needs root)")?;
    let machine = Machine::read()?;
    let mut results = Results::new(&effort);
    if arguments.wants(Part::Throughput) {
        results.throughput = throughput::measure(&effort)?;
    }
    if arguments.wants(Part::Command) {
        results.command = command::measure(&effort)?;
    }
    if arguments.wants(Part::Cost) {
        results.cost = cost::measure(&effort)?;
    }
    if arguments.wants(Part::Unrelated) {
        results.unrelated = unrelated::measure(&effort)?;
    }
    if arguments.wants(Part::Latency) {
        results.latency = latency::measure(&effort)?;
    }
    if arguments.wants(Part::Memory) {
        results.memory = memory::measure(&effort)?;
    }
    if arguments.wants(Part::Stealth) {
        results.stealth = stealth::measure(&effort)?;
    }
    if arguments.wants(Part::Accuracy) {
        results.accuracy = accuracy::measure(&effort)?;
    }
    if arguments.wants(Part::Deadline) {
        results.deadline = deadline::measure(&effort)?;
    }
    if arguments.wants(Part::Targets) {
        results.fleets = targets::measure(&effort)?;
    }
    results.machine = machine.report()?;
    results.judge();
    print!("{}", table::markdown(&results));
    if let Some(directory) = &arguments.out {
        write(&results, directory)
            .with_context(|| format!("cannot write to {}", directory.display()))?;
    }
    Ok(())
}

/// Writes the results as JSON, as tables and as plots.
fn write(results: &Results, directory: &std::path::Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join("results.json"), serde_json::to_string_pretty(results)? + "\n")?;
    fs::write(directory.join("results.md"), table::markdown(results))?;
    for (name, picture) in
        [("probes.svg", plot::probes(results)), ("accuracy.svg", plot::accuracy(results))]
    {
        if let Some(picture) = picture {
            fs::write(directory.join(name), picture)?;
        }
    }
    Ok(())
}
