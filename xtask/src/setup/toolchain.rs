//! The Rust toolchain that builds the eBPF crate: one that has the sources of `core`, accepts
//! unstable options, and whose LLVM a bpf-linker can be had for.

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
    /// What people call it.
    name: String,
    /// Where it comes from.
    origin: Origin,
    cargo: PathBuf,
    rustc: PathBuf,
    /// Its release, such as (1, 97).
    release: (u32, u32),
    /// Whether it accepts unstable options without being asked to pretend.
    unstable: bool,
    /// The major version of its LLVM.
    pub(super) llvm: u32,
    /// Whether the sources of `core` are there.
    has_sources: bool,
    /// Whether a bpf-linker for its LLVM is there or can be made.
    linkable: bool,
}

/// Who installed a toolchain, and so who can complete it.
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
        // The cargo that started xtask speaks for another toolchain, and flags meant for this
        // machine's processor make no sense for the kernel's.
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

/// Finds a usable toolchain, or says why none is.
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

/// Tries the ways to get one in turn, until one has led to a usable toolchain.
pub(super) fn install() -> Result<()> {
    let preference = facts::preference()?;
    let ways = ways(preference, &facts::gather(), find("rustup").is_some(), apt::present());
    for way in &ways {
        progress::note(&format!("trying: {way}"));
        match take(way) {
            Ok(()) if first_usable(preference, &facts::gather()).is_some() => return Ok(()),
            Ok(()) => progress::note("that worked, but did not lead to a usable toolchain"),
            Err(failure) => progress::note(&format!("that failed: {failure}")),
        }
    }
    let tried = if ways.is_empty() { "there is no rustup or apt" } else { "every way failed" };
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
            apt::install(&packages, "install the Rust that builds the kernel side")
        }
    }
}

/// Why none of `candidates` will do, in one line.
fn reasons(candidates: &[Toolchain]) -> String {
    if candidates.is_empty() {
        return "no toolchain was found".into();
    }
    let reason = |toolchain: &Toolchain| {
        let because = unusable_because(toolchain).unwrap_or_else(|| "not the one asked for".into());
        format!("{}: {because}", toolchain.name)
    };
    candidates.iter().map(reason).collect::<Vec<_>>().join("; ")
}
