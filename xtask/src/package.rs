//! Packages the checker and the crates that it depends on, with the eBPF object inside.

mod outside;
mod unpack;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

pub(crate) use self::outside::check;
use crate::build;
use crate::command;
use crate::failure::{OrFail, Result};
use crate::progress::{note, step};
use crate::setup::Tools;
use crate::workspace;

/// The packages that a program needs to embed the checker, dependencies first.
const CRATES: [&str; 6] = [
    "probe-agent-common",
    "probe-agent-model",
    "probe-agent-explain",
    "probe-agent-kernel",
    "probe-agent-engine",
    "probe-agent-checker",
];

/// All crates of the workspace have this version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds the eBPF object and writes the packages to `target/package`.
pub(crate) fn run(tools: &Tools) -> Result<()> {
    build::ebpf(tools)?;
    step("package the checker and the crates that it depends on", || {
        let place = workspace::root().join("probe-agent/kernel/probe-agent.bpf.o");
        let object = workspace::ebpf_object()?;
        remove(&place)?;
        // A link, not a copy: should it be left behind, `build.rs` finds the current object by it.
        symlink(&object, &place).or_fail(|| format!("link {}", place.display()))?;
        let packaged = package();
        remove(&place)?;
        packaged
    })
}

/// Runs `cargo package`. It does not verify: that would build each crate of the checker once more, and
/// [`check`] builds them all together, as an embedding program does.
fn package() -> Result<()> {
    let mut cargo = workspace::cargo()?;
    cargo.args(["package", "--quiet", "--no-verify", "--allow-dirty", "--no-metadata"]);
    // A library's lock file means nothing to the programs that embed it.
    cargo.arg("--exclude-lockfile");
    cargo.args(CRATES.iter().flat_map(|name| ["--package", name]));
    command::run(&mut cargo)?;
    for name in CRATES {
        let file = file(name)?;
        let size = fs::metadata(&file).or_fail(|| format!("find {}", file.display()))?.len();
        note(&format!("{} ({} kB)", file.display(), size.div_ceil(1000)));
    }
    Ok(())
}

/// The file of a package.
fn file(name: &str) -> Result<PathBuf> {
    Ok(workspace::target_dir()?.join("package").join(format!("{name}-{VERSION}.crate")))
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).or_fail(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
