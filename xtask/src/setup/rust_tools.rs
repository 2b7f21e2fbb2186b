//! rustfmt and clippy for the toolchain that runs xtask.

use std::process::Command;

use super::{Look, apt};
use crate::command::{find, run, succeeds};
use crate::failure::{Failure, Result};

/// The subcommand of cargo, the component of rustup and the package of Debian.
const TOOLS: [(&str, &str, &str); 2] =
    [("fmt", "rustfmt", "rustfmt-web"), ("clippy", "clippy", "rust-web-clippy")];

/// Which of the two are missing.
pub(super) fn look() -> Look {
    let missing: Vec<&str> = missing().map(|(_, component, _)| *component).collect();
    if missing.is_empty() {
        Look::Ready("both are there".into())
    } else {
        Look::Missing(format!("not found: {}", missing.join(", ")))
    }
}

/// Adds them to the toolchain in use: with rustup if it manages that toolchain, else with apt.
pub(super) fn install() -> Result<()> {
    let missing: Vec<_> = missing().collect();
    // rustup sets this variable to the toolchain that it started.
    if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
        let components = missing.iter().map(|(_, component, _)| component);
        let mut rustup = Command::new("rustup");
        rustup.args(["component", "add", "--toolchain"]).arg(toolchain).args(components);
        return run(&mut rustup);
    }
    let packages: Vec<&str> = missing.iter().map(|(_, _, package)| *package).collect();
    if find("apt-get").is_none() {
        return Err(Failure::new(
            "rustfmt and clippy are missing, and neither rustup nor apt is there to install them",
        )
        .remedy("install rustfmt and clippy for the toolchain in use"));
    }
    apt::install(&packages, "install rustfmt and clippy")
}

fn missing() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    TOOLS.iter().filter(move |(tool, ..)| !succeeds(Command::new(&cargo).args([tool, "--version"])))
}
