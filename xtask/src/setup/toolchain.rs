//! The Rust toolchain that builds the eBPF crate. It must have the sources of `core`, accept unstable
//! options, and have an LLVM that bpf-linker supports.

mod choose;
mod facts;

use std::path::PathBuf;
use std::process::Command;

use self::choose::{Way, first_usable, unusable_because, ways};
use super::{Look, Tools, apt};
use crate::cache;
use crate::command::find;
use crate::failure::{Failure, Result};
use crate::progress;
use crate::workspace;

/// A toolchain of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toolchain {
    /// Its name for messages.
    name: String,
    /// Who installed it.
    origin: Origin,
    cargo: PathBuf,
    rustc: PathBuf,
    /// Its release, such as (1, 97).
    release: (u32, u32),
    /// Whether it accepts unstable options without `RUSTC_BOOTSTRAP`.
    unstable: bool,
    /// The major version of its LLVM.
    pub(super) llvm: u32,
    /// Whether the sources of `core` are there.
    has_sources: bool,
    /// Whether a bpf-linker for its LLVM is there or can be built.
    linkable: bool,
}

/// Who installed a toolchain, and so who can add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Rustup,
    System,
}

impl Toolchain {
    /// The cargo of this toolchain at the root of the workspace, set up to build for the kernel.
    pub(crate) fn cargo(&self) -> Command {
        let mut cargo = Command::new(&self.cargo);
        cargo.current_dir(workspace::root()).env("RUSTC", &self.rustc);
        // The cargo that started xtask set the first two for another toolchain. The flags are for the
        // host's processor, not for the kernel's virtual machine.
        for variable in [
            "CARGO",
            "RUSTUP_TOOLCHAIN",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
        ] {
            cargo.env_remove(variable);
        }
        if !self.unstable {
            cargo.env("RUSTC_BOOTSTRAP", "1");
        }
        cargo
    }
}

/// Finds a usable toolchain, or reports why none is.
pub(super) fn look(tools: &mut Tools) -> Result<Look> {
    let preference = facts::preference()?;
    let candidates = facts::gather();
    if let Some(usable) = first_usable(preference, &candidates) {
        let found = format!(
            "{} ({}.{}, LLVM {})",
            usable.name, usable.release.0, usable.release.1, usable.llvm
        );
        tools.toolchain = Some(usable.clone());
        return Ok(Look::Ready(found));
    }
    Ok(Look::Missing(reasons(&candidates)))
}

/// Tries the ways to install one in turn, until a toolchain is usable.
pub(super) fn install() -> Result<()> {
    let preference = facts::preference()?;
    let ways = ways(preference, &facts::gather(), find("rustup").is_some(), apt::present());
    for way in &ways {
        progress::note(&format!("trying: {way}"));
        match take(way) {
            Ok(()) if first_usable(preference, &facts::gather()).is_some() => return Ok(()),
            Ok(()) => progress::note("that succeeded, but no toolchain is usable yet"),
            Err(failure) => progress::note(&format!("that failed: {failure}")),
        }
    }
    let tried =
        if ways.is_empty() { "neither rustup nor apt is there" } else { "every way failed" };
    Err(Failure::new(format!("no toolchain can build the eBPF crate, {tried}: {}", reasons(&facts::gather())))
        .remedy("`rustup toolchain install nightly -c rust-src`, or Debian's packages rustc-web, rust-web-src and cargo-web"))
}

fn take(way: &Way) -> Result<()> {
    let log = cache::log("toolchain.log")?;
    match way {
        Way::AddSources(name) => {
            let mut rustup = Command::new("rustup");
            rustup.args(["component", "add", "rust-src", "--toolchain", name]);
            progress::logged(&mut rustup, &log)
        }
        Way::InstallNightly => {
            let mut rustup = Command::new("rustup");
            rustup.args([
                "toolchain",
                "install",
                "nightly",
                "--profile",
                "minimal",
                "-c",
                "rust-src",
            ]);
            progress::logged(&mut rustup, &log)
        }
        Way::DebianPackages => {
            let packages = ["rustc-web", "rust-web-src", "cargo-web"];
            apt::install(&packages, "install the Rust that builds the eBPF programs")
        }
    }
}

/// Why none of `candidates` is usable, in one line.
fn reasons(candidates: &[Toolchain]) -> String {
    if candidates.is_empty() {
        return "no toolchain was found".into();
    }
    let reason = |toolchain: &Toolchain| {
        let because = unusable_because(toolchain)
            .unwrap_or_else(|| "PROBE_AGENT_EBPF_TOOLCHAIN excludes it".into());
        format!("{}: {because}", toolchain.name)
    };
    candidates.iter().map(reason).collect::<Vec<_>>().join("; ")
}

/// The first two numbers of a version.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
