//! Builds a program and replaces xtask by it, so that signals, terminal and exit code are the program's.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::build;
use crate::command;
use crate::failure::{Failure, Result};
use crate::privilege::{as_root, ask_for_sudo};
use crate::progress::step;
use crate::setup::{self, Scope};
use crate::workspace;

/// `probe-agent demo ARGUMENTS`.
pub(crate) fn demo(arguments: &[String]) -> Result<()> {
    const WHY: &str = "install what is missing and run the demo, which loads eBPF programs";
    ask_for_sudo(WHY)?;
    build::everything(&setup::ready(Scope::Demo)?)?;
    let mut demo = as_root(WHY, workspace::agent()?, NO_VARIABLES)?;
    exec(demo.arg("demo").args(arguments))
}

/// The benchmarks: the binary `bench`.
pub(crate) fn bench(arguments: &[String]) -> Result<()> {
    const WHY: &str = "install what is missing and run the benchmarks, which load eBPF programs";
    ask_for_sudo(WHY)?;
    build::everything(&setup::ready(Scope::Demo)?)?;
    step("build the benchmarks", || {
        let package = ["--package", "probe-agent-bench"];
        command::run(workspace::cargo()?.args(["build", "--release"]).args(package))
    })?;
    let bench = workspace::target_dir()?.join("release/bench");
    let agent = workspace::agent()?;
    let variables = [("PROBE_AGENT_BIN", agent.as_path())];
    exec(as_root(WHY, bench, variables)?.args(arguments))
}

const NO_VARIABLES: [(&str, &Path); 0] = [];

/// Replaces this process by `command`. Returns only if that fails.
fn exec(command: &mut Command) -> Result<()> {
    eprintln!("==> {}", command::display(command));
    let error = command.exec();
    Err(Failure::new(format!("cannot start `{}`: {error}", command::display(command))))
}
