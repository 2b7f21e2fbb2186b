//! cargo-deny, which compares the dependencies with `deny.toml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Look, Tools, apt};
use crate::cache::{self, Entry, State};
use crate::command::{capture, find};
use crate::failure::{Failure, Result};
use crate::progress;

const NAME: &str = "cargo-deny";
/// The policy is written for this version; others may not know all of its keys.
const VERSION: &str = "0.20.2";

/// Looks on PATH for the same version, then in the cache.
pub(super) fn look(tools: &mut Tools) -> Result<Look> {
    let entry = entry()?;
    let cached = || match entry.state() {
        State::Good => Some(entry.executable()),
        State::Absent | State::Corrupt(_) => None,
    };
    let found = find(NAME).into_iter().chain(cached()).find(|program| is_version(program));
    tools.deny.clone_from(&found);
    Ok(match found {
        Some(program) => Look::Ready(format!("{VERSION} in {}", program.display())),
        None => Look::Missing(format!("no {NAME} {VERSION} on PATH or in the cache")),
    })
}

/// Builds it.
pub(super) fn install() -> Result<()> {
    let entry = entry()?;
    // One that is intact but does not run was built for another system.
    if entry.state() == State::Good {
        entry.discard()?;
    }
    if apt::present() {
        apt::install(&["gcc", "libc6-dev"], "install the C compiler that builds cargo-deny")?;
    }
    entry.install(build)
}

fn build(work: &Path) -> Result<PathBuf> {
    progress::note(&format!("cargo builds {NAME} {VERSION} (some three minutes)"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut install = Command::new(cargo);
    install
        .current_dir(work)
        .args(["install", NAME, "--version", VERSION, "--locked", "--no-default-features"])
        .args(["--root", "root", "--target-dir", "target"])
        // Half the time, and it runs for a second.
        .args(["--profile", "dev"])
        .env("CARGO_PROFILE_DEV_DEBUG", "false")
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET");
    progress::logged(&mut install, &cache::log("cargo-deny.log")?).map_err(|failure| {
        failure.remedy("read the log; the build needs a C compiler and access to crates.io")
    })?;
    let made = work.join("root").join("bin").join(NAME);
    if is_version(&made) {
        return Ok(made);
    }
    Err(Failure::new("the cargo-deny that was just built does not run"))
}

fn entry() -> Result<Entry> {
    let key = format!("{NAME}-{VERSION}-{}", std::env::consts::ARCH);
    Ok(Entry::new(cache::directory()?, key, NAME))
}

fn is_version(program: &Path) -> bool {
    let printed = capture(Command::new(program).arg("--version"));
    printed.is_ok_and(|text| text.trim() == format!("{NAME} {VERSION}"))
}
