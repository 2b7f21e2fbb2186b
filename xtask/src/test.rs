//! Runs every check and test, cheapest first, and stops at the first that fails.

mod lab;

use std::process::Command;

use crate::build;
use crate::command;
use crate::failure::{Failure, Result};
use crate::package;
use crate::privilege::ask_for_sudo;
use crate::progress::step;
use crate::setup::{self, Scope};
use crate::workspace;

/// Runs everything; with `arguments` only the tests, and passes the arguments to each test program.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    // Ask now: a prompt after minutes of building would be missed.
    ask_for_sudo("install what is missing and run the tests that load eBPF programs")?;
    let tools = setup::ready(Scope::Test)?;
    let whole = arguments.is_empty();
    if whole {
        cargo_step("formatting", &["fmt", "--all", "--check"])?;
        dependencies(&tools)?;
    }
    build::ebpf(&tools)?;
    if whole {
        lints(&tools)?;
    }
    build::agent()?;
    unit(arguments)?;
    if whole {
        package::run(&tools)?;
        package::check()?;
    }
    let tests = lab::build()?;
    for test in &tests {
        lab::run(test, tools.rotel()?, arguments)?;
    }
    eprintln!("==> all passed");
    Ok(())
}

/// Licenses, sources and banned crates of the dependencies, by `deny.toml`.
fn dependencies(tools: &setup::Tools) -> Result<()> {
    step("licenses and sources of the dependencies", || {
        let mut deny = Command::new(tools.deny()?);
        deny.current_dir(workspace::root()).args(["--log-level", "error", "--locked"]);
        deny.args(["check", "bans", "licenses", "sources"]);
        command::run(&mut deny).map_err(|_| {
            Failure::new("a dependency is not what deny.toml allows").remedy(
                "see above; replace the dependency, or change the policy and give the reason there",
            )
        })
    })
}

/// Lints of all code, the eBPF crate included, and of the documentation, with warnings denied.
fn lints(tools: &setup::Tools) -> Result<()> {
    cargo_step("clippy", &["clippy", "--all-targets", "--", "-D", "warnings"])?;
    step("warnings of the eBPF crate", || build::ebpf_warnings(tools)).map_err(|failure| {
        Failure::new(format!("the eBPF crate has warnings: {failure}"))
            .remedy("`cargo xtask build` shows the same warnings")
    })?;
    step("documentation", || {
        let mut cargo = workspace::cargo()?;
        cargo.args(["doc", "--no-deps", "--lib", "--workspace", "--exclude", "probe-agent-ebpf"]);
        cargo.env("RUSTDOCFLAGS", "-D warnings");
        alone(cargo, "documentation", "RUSTDOCFLAGS='-D warnings' ")
    })
}

/// The tests that need no privileges. They run as the calling user.
fn unit(arguments: &[String]) -> Result<()> {
    if !arguments.is_empty() {
        // cargo builds the examples by itself only if no kind of target is named.
        cargo_step("examples", &["build", "--package", "probe-agent-checker", "--examples"])?;
    }
    step("unit tests", || {
        let mut cargo = workspace::cargo()?;
        cargo.args(["test", "--workspace"]);
        cargo.args(["--exclude", "probe-agent-ebpf"]);
        cargo.args(lab::PACKAGES.iter().flat_map(|package| ["--exclude", package]));
        if !arguments.is_empty() {
            // Documentation tests do not take the arguments of test programs.
            cargo.args(["--lib", "--bins", "--tests", "--"]).args(arguments);
        }
        alone(cargo, "unit tests", "")
    })
}

fn cargo_step(title: &str, arguments: &[&str]) -> Result<()> {
    step(title, || {
        let mut cargo = workspace::cargo()?;
        cargo.args(arguments);
        alone(cargo, title, "")
    })
}

/// Runs `cargo`. If it fails, the message names the step and how to run it alone.
fn alone(mut cargo: Command, title: &str, variables: &str) -> Result<()> {
    command::run(&mut cargo).map_err(|_| {
        let arguments = command::display(&cargo);
        let arguments = arguments.split_once(' ').map_or("", |(_, rest)| rest);
        Failure::new(format!("the step \"{title}\" failed"))
            .remedy(format!("see above; to run it alone: {variables}cargo {arguments}"))
    })
}
