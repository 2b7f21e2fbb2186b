//! The agent as one file: statically linked, so that the virtual machine needs no libraries for it.

use std::path::PathBuf;

use crate::command;
use crate::failure::{Failure, Result};
use crate::progress::step;
use crate::workspace;

const TARGET: &str = "x86_64-unknown-linux-gnu";
const PROFILE: &str = "vm";

/// Builds it, and returns where it is.
pub(super) fn build() -> Result<PathBuf> {
    if std::env::consts::ARCH != "x86_64" {
        return Err(Failure::new("`cargo xtask vm` runs on x86_64 only")
            .remedy("`cargo xtask test` tests the agent on the kernel of this host"));
    }
    // A directory of its own: the flags would make the other builds start again.
    let directory = workspace::target_dir()?.join("vm").join("cargo");
    step("build the static agent (minutes the first time)", || {
        let mut cargo = workspace::cargo()?;
        cargo.args(["build", "--package", "probe-agent", "--profile", PROFILE, "--target", TARGET]);
        cargo.arg("--target-dir").arg(&directory);
        command::run(cargo.env("RUSTFLAGS", "-C target-feature=+crt-static"))
    })?;
    Ok(directory.join(TARGET).join(PROFILE).join("probe-agent"))
}
