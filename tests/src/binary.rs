//! The `probe-agent` program.

use std::path::PathBuf;

/// Names the program; `cargo xtask test` sets it.
const PROGRAM: &str = "PROBE_AGENT_BIN";

/// The program `probe-agent`: the one that `PROBE_AGENT_BIN` names, else the one that was built
/// beside this test.
///
/// # Panics
/// The program is missing.
#[must_use]
pub fn agent() -> PathBuf {
    let program = std::env::var_os(PROGRAM).map_or_else(beside_this_test, PathBuf::from);
    assert!(program.is_file(), "{} is missing: run `cargo xtask build`", program.display());
    program
}

/// cargo puts test programs into `deps`, beside the programs.
fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own program");
    let directory = test.parent().and_then(|deps| deps.parent());
    directory.expect("a test program lies in two directories").join("probe-agent")
}
