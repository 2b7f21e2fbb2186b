//! Paths in this workspace, and cargo commands that run in it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::command::capture;
use crate::failure::{Failure, Result};
use crate::json;

/// The root of the workspace: xtask is a directory in it.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The target directory, which a variable or a configuration file of cargo may have moved.
pub(crate) fn target_dir() -> Result<&'static Path> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(target) = TARGET.get() {
        return Ok(target);
    }
    let metadata = capture(bare_cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
    let target = json::string(&metadata, "target_directory")
        .ok_or_else(|| Failure::new("`cargo metadata` names no target directory"))?;
    Ok(TARGET.get_or_init(|| target.into()))
}

/// The eBPF object, where `probe-agent/kernel/build.rs` looks for it.
pub(crate) fn ebpf_object() -> Result<PathBuf> {
    Ok(target_dir()?.join("ebpf/probe-agent.bpf.o"))
}

/// The release build of the agent.
pub(crate) fn agent() -> Result<PathBuf> {
    Ok(target_dir()?.join("release/probe-agent"))
}

/// The cargo that runs xtask, at the root of the workspace, with the path of the eBPF object.
pub(crate) fn cargo() -> Result<Command> {
    let mut command = bare_cargo();
    // The build script knows the default path. If the variable were always set, a plain `cargo build`
    // and one by xtask would invalidate each other.
    if target_dir()? != root().join("target") {
        command.env("PROBE_AGENT_EBPF_OBJECT", ebpf_object()?);
    }
    Ok(command)
}

/// The cargo that runs xtask, at the root of the workspace.
fn bare_cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}
