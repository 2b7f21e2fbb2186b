//! rustfmt and clippy for the toolchain that runs xtask.

use std::process::Command;

use super::{Look, apt};
use crate::command::{find, run, succeeds};
use crate::failure::{Failure, Result};

/// What cargo calls it, its component in rustup, its package in Debian.
const TOOLS: [(&str, &str, &str); 2] =
    [("fmt", "rustfmt", "rustfmt-web"), ("clippy", "clippy", "rust-web-clippy")];

/// Which of the two are missing.
pub(super) fn look() -> Look {
    let missing: Vec<&str> = missing().map(|(_, component, _)| *component).collect();
    if missing.is_empty() {
        Look::Ready("both run".into())
    } else {
        Look::Missing(format!("not found: {}", missing.join(", ")))
    }
}

/// Adds them to the toolchain in use: by rustup where it rules, by apt elsewhere.
pub(super) fn install() -> Result<()> {
    let missing: Vec<_> = missing().collect();
    // rustup says by this variable which toolchain it has started for us.
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
        let components = missing.iter().map(|(_, component, _)| component);
        let mut rustup = Command::new("rustup");
        rustup.args(["component", "add", "--toolchain"]).arg(toolchain).args(components);
        return run(&mut rustup);
    }
    let packages: Vec<&str> = missing.iter().map(|(_, _, package)| *package).collect();
    if find("apt-get").is_none() {
        return Err(Failure::new("neither rustup nor apt is there to install rustfmt and clippy")
            .remedy("install rustfmt and clippy for the Rust that is in use"));
    }
    apt::install(&packages, "install rustfmt and clippy")
}

fn missing() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    TOOLS.iter().filter(move |(tool, ..)| !succeeds(Command::new(&cargo).args([tool, "--version"])))
}
