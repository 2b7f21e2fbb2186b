//! `cargo xtask bench`: what the agent costs, beside two baselines in the same run.
//!
//! The machine may be shared and noisy. Therefore everything is measured in turns and compared as
//! ratios within one round; the median of the rounds counts, and the load is noted beside it. All
//! of it happens in a network namespace of the benchmark's own.

mod accuracy;
mod agent;
mod arguments;
mod child;
mod contest;
mod cost;
mod deadline;
mod floor;
mod fresh;
mod latency;
mod machine;
mod median;
mod memory;
mod plot;
mod private;
mod queue;
mod results;
mod stealth;
mod table;
mod target;
mod targets;
mod throughput;
mod unrelated;

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
    let effort = arguments.effort();
    private::enter().context("a network namespace of the benchmark's own needs root")?;
    let machine = Machine::look()?;
    let mut results = Results::new(&effort);
    if arguments.wants(Part::Throughput) {
        results.throughput = throughput::measure(&effort)?;
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
        keep(&results, directory)
            .with_context(|| format!("cannot write to {}", directory.display()))?;
    }
    Ok(())
}

/// Writes the result for machines and the table.
fn keep(results: &Results, directory: &std::path::Path) -> Result<()> {
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
