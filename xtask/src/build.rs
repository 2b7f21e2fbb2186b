//! Builds the eBPF object, then the agent that contains it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::failure::{OrFail, Result};
use crate::progress::{note, step};
use crate::setup::Tools;
use crate::workspace;

const TARGET: &str = "bpfel-unknown-none";
const PACKAGE: &str = "probe-agent-ebpf";

/// The eBPF object and the release build of the agent.
pub(crate) fn everything(tools: &Tools) -> Result<()> {
    ebpf(tools)?;
    agent()
}

/// Builds the eBPF object and copies it to where `probe-agent/kernel/build.rs` looks for it.
pub(crate) fn ebpf(tools: &Tools) -> Result<()> {
    step("build the eBPF object (half a minute the first time)", || {
        let mut cargo = ebpf_cargo(tools, "build")?;
        command::run(cargo.args(["--bin", PACKAGE]))?;
        let built = ebpf_target_dir()?.join(TARGET).join("ebpf").join(PACKAGE);
        publish(&built, &workspace::ebpf_object()?)
    })
}

/// Checks the eBPF crate with warnings denied.
pub(crate) fn ebpf_warnings(tools: &Tools) -> Result<()> {
    let mut cargo = ebpf_cargo(tools, "check")?;
    command::run(cargo.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_RUSTFLAGS", "-D warnings"))
}

/// Builds the agent in release mode.
pub(crate) fn agent() -> Result<()> {
    step("build the agent in release mode (minutes the first time)", || {
        command::run(workspace::cargo()?.args(["build", "--release", "--package", "probe-agent"]))
    })
}

fn ebpf_cargo(tools: &Tools, subcommand: &str) -> Result<Command> {
    let mut cargo = tools.toolchain()?.cargo();
    // The full path, so that cargo does not use another bpf-linker from PATH.
    cargo.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", tools.linker()?);
    cargo.arg(subcommand).args(["--package", PACKAGE, "--profile", "ebpf", "--target", TARGET]);
    cargo.args(["-Z", "build-std=core"]).arg("--target-dir").arg(ebpf_target_dir()?);
    Ok(cargo)
}

/// A separate target directory: builds for the host do not wait for its lock, and the two compilers do not
/// invalidate each other's results.
fn ebpf_target_dir() -> Result<PathBuf> {
    Ok(workspace::target_dir()?.join("ebpf").join("cargo"))
}

/// Copies `built` to `object` if the bytes differ. An unchanged object keeps its time, so that cargo does not
/// rebuild the agent. A changed one is replaced atomically.
fn publish(built: &Path, object: &Path) -> Result<()> {
    let bytes = fs::read(built).or_fail(|| format!("read {}", built.display()))?;
    if fs::read(object).is_ok_and(|old| old == bytes) {
        note(&format!("{} is unchanged", object.display()));
        return Ok(());
    }
    let partial = object.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&partial, bytes).or_fail(|| format!("write {}", partial.display()))?;
    fs::rename(&partial, object).or_fail(|| format!("write {}", object.display()))?;
    note(&format!("wrote {}", object.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_object_keeps_its_time() {
        let scratch = std::env::temp_dir().join(format!("xtask-publish-{}", std::process::id()));
        fs::create_dir_all(&scratch).unwrap();
        let (built, object) = (scratch.join("built"), scratch.join("object.bpf.o"));
        fs::write(&built, "one").unwrap();
        publish(&built, &object).unwrap();
        let time = || fs::metadata(&object).unwrap().modified().unwrap();
        let first = time();
        publish(&built, &object).unwrap();
        assert_eq!(time(), first);
        fs::write(&built, "two").unwrap();
        publish(&built, &object).unwrap();
        assert_eq!(fs::read_to_string(&object).unwrap(), "two");
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 2, "no partial file is left");
        fs::remove_dir_all(&scratch).unwrap();
    }
}
