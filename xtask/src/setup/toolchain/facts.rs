//! Finds the toolchains of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::choose::Preference;
use super::{Origin, Toolchain, release};
use crate::command::{capture, find};
use crate::failure::{Failure, Result, USAGE};
use crate::setup::linker;

/// The variable with which the user chooses.
const VARIABLE: &str = "PROBE_AGENT_EBPF_TOOLCHAIN";

/// What the user chose.
pub(super) fn preference() -> Result<Preference> {
    let value = std::env::var(VARIABLE).unwrap_or_default();
    Preference::parse(&value).ok_or_else(|| {
        Failure::new(format!("{VARIABLE}={value} is invalid"))
            .remedy(format!("set {VARIABLE} to auto, rustup or debian, or unset it"))
            .code(USAGE)
    })
}

/// The candidates, best first: rustup's nightlies, the toolchain that runs xtask, the system's.
pub(super) fn gather() -> Vec<Toolchain> {
    let mut found: Vec<Toolchain> = Vec::new();
    let of_rustup = rustup_names().into_iter().filter_map(|name| {
        let rustc = rustup_rustc(&name)?;
        describe(name, Origin::Rustup, &rustc)
    });
    let of_system = system_rustc()
        .and_then(|rustc| describe(rustc.display().to_string(), Origin::System, &rustc));
    for toolchain in of_rustup.chain(of_system) {
        if !found.iter().any(|other| other.rustc == toolchain.rustc) {
            found.push(toolchain);
        }
    }
    found
}

/// The names of rustup's nightlies, then of the toolchain that runs xtask.
fn rustup_names() -> Vec<String> {
    let list = capture(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    let mut names: Vec<String> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| name.starts_with("nightly"))
        .map(str::to_owned)
        .collect();
    // The undated nightly goes first: it is the one that people update. Dated ones have longer names.
    names.sort_by_key(String::len);
    names.extend(std::env::var("RUSTUP_TOOLCHAIN").ok());
    names
}

fn rustup_rustc(name: &str) -> Option<PathBuf> {
    let which = ["which", "rustc", "--toolchain", name];
    let path = capture(Command::new("rustup").args(which)).ok()?;
    Some(PathBuf::from(path.trim()))
}

/// The rustc of the system's packages: the first on PATH or in /usr/bin that is not a proxy of rustup.
fn system_rustc() -> Option<PathBuf> {
    let is_own = |path: &PathBuf| {
        let real = path.canonicalize().ok();
        real.is_some_and(|real| real.file_name() != Some("rustup".as_ref()) && !beside_rustup(path))
    };
    let usual = PathBuf::from("/usr/bin/rustc");
    find("rustc").into_iter().chain([usual]).find(is_own)
}

/// rustup's proxies may be hard links, which have no other name. But rustup is in the same directory then.
fn beside_rustup(rustc: &Path) -> bool {
    rustc.with_file_name("rustup").exists()
}

fn describe(name: String, origin: Origin, rustc: &Path) -> Option<Toolchain> {
    // With the variable set, a proxy of rustup would start another toolchain.
    let ask = |arguments: &[&str]| {
        capture(Command::new(rustc).args(arguments).env_remove("RUSTUP_TOOLCHAIN")).ok()
    };
    let version = Version::parse(&ask(&["-vV"])?)?;
    let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
    let sources = sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml");
    let cargo = rustc.with_file_name("cargo");
    Some(Toolchain {
        name,
        origin,
        rustc: rustc.to_owned(),
        release: version.release,
        unstable: version.unstable,
        llvm: version.llvm,
        has_sources: sources.is_file() && cargo.is_file(),
        linkable: linker::obtainable(version.llvm),
        cargo,
    })
}

/// The output of `rustc -vV`.
#[derive(Debug, PartialEq, Eq)]
struct Version {
    release: (u32, u32),
    unstable: bool,
    llvm: u32,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let field =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let full = field("release:")?;
        let llvm = field("LLVM version:")?.split('.').next()?.parse().ok()?;
        let unstable = full.ends_with("-nightly") || full.ends_with("-dev");
        Some(Self { release: release(full)?, unstable, llvm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STABLE: &str = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2\n";

    #[test]
    fn the_verbose_version_is_parsed() {
        let stable = Version { release: (1, 95), unstable: false, llvm: 22 };
        assert_eq!(Version::parse(STABLE), Some(stable));
        let nightly = STABLE.replace("release: 1.95.0", "release: 1.97.0-nightly");
        let expected = Version { release: (1, 97), unstable: true, llvm: 22 };
        assert_eq!(Version::parse(&nightly), Some(expected));
    }

    #[test]
    fn text_that_is_not_a_version_is_refused() {
        assert_eq!(Version::parse(""), None);
        assert_eq!(Version::parse("release: 1.95.0\nLLVM version: unknown\n"), None);
        assert_eq!(release("1"), None);
        assert_eq!(release("1.96"), Some((1, 96)));
    }
}
