//! Builds and runs a program outside of the workspace that embeds the packaged checker.
//!
//! It proves that the packages are complete: stable Rust builds them without an eBPF toolchain and with
//! few dependencies, and the eBPF object inside loads.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{CRATES, VERSION, file, unpack::unpack};
use crate::command;
use crate::failure::{Failure, OrFail, Result};
use crate::privilege::as_root;
use crate::progress::{note, step};
use crate::workspace;

const NAME: &str = "embeds-the-checker";
const MAIN: &str = include_str!("../../outside/main.rs");

/// The checker may depend on this many packages, ours included. It depended on 146 when it was
/// a part of the agent's crate.
const MOST_DEPENDENCIES: usize = 40;

/// Names, or beginnings of names, of packages that only the agent's command line and export need.
const FOREIGN: [&str; 6] = ["clap", "hyper", "opentelemetry", "rustls", "tokio-", "tonic"];

/// Lines that the program prints as root: the eBPF programs are loaded and the ACK guard is attached.
const EXPECTED: [&str; 5] = [
    "report: alive in ",
    "half-open enforced: true",
    "guard: on",
    "tracing: on",
    "finding: clean (",
];

/// Unpacks the packages, and builds and runs the program.
pub(crate) fn check() -> Result<()> {
    step("build a program outside of the workspace from the packages", || {
        write_program()?;
        command::run(cargo()?.args(["build", "--quiet"]))
    })?;
    step("count the dependencies of the checker", || {
        let tree = ["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
        let tree = command::capture_visible(cargo()?.args(tree))?;
        let dependencies = dependencies(&tree);
        note(&format!("{} of at most {MOST_DEPENDENCIES}", dependencies.len()));
        judge(&dependencies)
    })?;
    step("run the program as root", || {
        let program = directory()?.join("target/debug").join(NAME);
        let none: [(&str, &str); 0] = [];
        let mut program = as_root("run a program that loads eBPF programs", program, none)?;
        let output = command::capture_visible(&mut program)?;
        output.lines().for_each(note);
        match EXPECTED.iter().find(|line| !output.lines().any(|l| l.starts_with(*line))) {
            Some(line) => Err(Failure::new(format!("the program did not print `{line}`"))),
            None => Ok(()),
        }
    })
}

/// The same place in each run, so that only what changed is built.
fn directory() -> Result<PathBuf> {
    Ok(workspace::target_dir()?.join("outside"))
}

/// Writes the program, which depends on the unpacked packages in place of those of crates.io.
fn write_program() -> Result<()> {
    let directory = directory()?;
    let mut manifest = format!(
        "[package]\nname = \"{NAME}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nprobe-agent-checker = \"{VERSION}\"\n\n\
         # A workspace of its own: cargo must not look for one above.\n[workspace]\n\n\
         [patch.crates-io]\n"
    );
    for name in CRATES {
        let sources = unpack(&file(name)?, &directory.join("packages"))?;
        licensed(name, &sources)?;
        manifest += &format!("{name} = {{ path = {:?} }}\n", sources.display().to_string());
    }
    write(&directory.join("program/Cargo.toml"), &manifest)?;
    write(&directory.join("program/src/main.rs"), MAIN)?;
    // With the versions of the workspace, nothing has to be downloaded.
    let lock = workspace::root().join("Cargo.lock");
    fs::copy(&lock, directory.join("program/Cargo.lock"))
        .map(drop)
        .or_fail(|| format!("copy {}", lock.display()))
}

/// Fails if a package does not carry the license texts that its manifest names.
fn licensed(name: &str, sources: &Path) -> Result<()> {
    let texts = ["LICENSE-MIT", "LICENSE-APACHE"];
    match texts.iter().find(|text| !sources.join(text).is_file()) {
        Some(text) => Err(Failure::new(format!("the package {name} has no {text}")).remedy(
            "link it into the package's directory, and name it if the manifest has `include`",
        )),
        None => Ok(()),
    }
}

/// Writes a file unless it has this text already: cargo would compile it anew.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).or_fail(|| format!("create {}", parent.display()))?;
    fs::write(path, text).or_fail(|| format!("write {}", path.display()))
}

/// The cargo that runs xtask, for the program, without what helps only in the workspace.
fn cargo() -> Result<Command> {
    let mut cargo = workspace::cargo()?;
    cargo.current_dir(directory()?.join("program"));
    cargo.env("CARGO_TARGET_DIR", directory()?.join("target"));
    for variable in ["PROBE_AGENT_EBPF_OBJECT", "RUSTC_BOOTSTRAP", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(variable);
    }
    Ok(cargo)
}

/// Names and versions in the output of `cargo tree`, without the program and the checker.
fn dependencies(tree: &str) -> BTreeSet<&str> {
    let end = |line: &str| line.match_indices(' ').nth(1).map_or(line.len(), |(at, _)| at);
    let lines = tree.lines().filter(|line| line.contains(" v"));
    let own = |line: &str| [NAME, "probe-agent-checker"].iter().any(|name| line.starts_with(name));
    lines.map(|line| &line[..end(line)]).filter(|line| !own(line)).collect()
}

/// Fails if there are too many dependencies, or one that the checker has no use for.
fn judge(dependencies: &BTreeSet<&str>) -> Result<()> {
    let foreign = |package: &&&str| FOREIGN.iter().any(|name| package.starts_with(name));
    if let Some(package) = dependencies.iter().find(foreign) {
        return Err(Failure::new(format!("the checker depends on {package}"))
            .remedy("keep it out of the layers below the agent, or make it an optional feature"));
    }
    if dependencies.len() > MOST_DEPENDENCIES {
        return Err(Failure::new(format!(
            "the checker has {} dependencies, more than {MOST_DEPENDENCIES}",
            dependencies.len()
        ))
        .remedy("`cargo tree -p probe-agent-checker -e normal,build` shows them"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "embeds-the-checker v0.0.0 (/a b/program)\n\
        probe-agent-checker v0.1.0 (/a b/checker)\n\
        libc v0.2.1\n\
        [build-dependencies]\n\
        thiserror-impl v2.0.0 (proc-macro)\n\
        libc v0.2.1 (*)\n";

    #[test]
    fn each_dependency_in_a_tree_counts_once() {
        let expected = ["libc v0.2.1", "thiserror-impl v2.0.0"];
        assert_eq!(dependencies(TREE), BTreeSet::from(expected));
    }

    #[test]
    fn too_many_dependencies_and_foreign_ones_fail() {
        let names: Vec<String> = (0..=MOST_DEPENDENCIES).map(|n| format!("a{n} v1.0.0")).collect();
        let first = |count| names.iter().take(count).map(String::as_str).collect::<BTreeSet<_>>();
        assert!(judge(&first(MOST_DEPENDENCIES)).is_ok());
        assert!(judge(&first(MOST_DEPENDENCIES + 1)).is_err());
        let failure = judge(&BTreeSet::from(["hyper-util v0.1.0", "libc v0.2.1"])).unwrap_err();
        assert!(failure.to_string().contains("hyper-util v0.1.0"), "{failure}");
    }
}
