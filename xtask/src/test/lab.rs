//! The tests in the network lab. cargo builds them as the user and only the finished test programs run as
//! root, so that root owns nothing in the target directory.

use std::path::{Path, PathBuf};

use crate::command;
use crate::failure::{Failure, Result};
use crate::json;
use crate::privilege::as_root;
use crate::progress::step;
use crate::workspace;

/// The packages whose tests need a lab, and so root.
pub(super) const PACKAGES: [&str; 2] = ["probe-agent-tests", "probe-agent-bench"];

/// Settings of tests, which sudo does not pass on by itself.
const SETTINGS: [&str; 2] = ["PROBE_AGENT_RANDOM_RUNS", "PROBE_AGENT_RANDOM_SEED"];

/// Builds the test programs and returns their paths, sorted.
pub(super) fn build() -> Result<Vec<PathBuf>> {
    step("build the lab tests", || {
        let mut cargo = workspace::cargo()?;
        cargo.args(["test", "--no-run"]);
        cargo.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
        cargo.arg("--message-format=json-render-diagnostics");
        let messages = command::capture_visible(&mut cargo)?;
        let mut tests: Vec<PathBuf> =
            messages.lines().filter_map(json::test_executable).map(PathBuf::from).collect();
        tests.sort();
        Ok(tests)
    })
}

/// Runs one test program as root.
pub(super) fn run(test: &Path, rotel: &Path, arguments: &[String]) -> Result<()> {
    let name = name(test);
    step(&format!("lab tests as root: {name}"), || {
        let package = workspace::root().join("tests");
        let agent = workspace::agent()?;
        // Tests that need root are skipped without it. Here they have it, so that a skip is a failure.
        let variables = [
            ("PROBE_AGENT_REQUIRE_PRIVILEGE", Path::new("1")),
            ("PROBE_AGENT_BIN", &agent),
            ("ROTEL_AGENT", rotel),
            ("CARGO_MANIFEST_DIR", &package),
        ];
        let variables = variables.map(|(name, value)| (name, value.as_os_str().to_owned()));
        let set = |name| Some((name, std::env::var_os(name)?));
        let variables = variables.into_iter().chain(SETTINGS.into_iter().filter_map(set));
        let mut command = as_root("run the tests that load eBPF programs", test, variables)?;
        command.current_dir(&package).args(arguments);
        command::run(&mut command).map_err(|_| {
            Failure::new(format!("the lab tests of `{name}` failed"))
                .remedy("see above; to run one alone: cargo xtask test NAME_OF_THE_TEST")
        })
    })
}

/// The name of a test program without the hash that cargo appends.
fn name(test: &Path) -> String {
    let stem = test.file_name().unwrap_or_default().to_string_lossy().into_owned();
    stem.rsplit_once('-').map_or(stem.clone(), |(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_hash() {
        assert_eq!(name(Path::new("/t/debug/deps/lost_rst-0a1b2c")), "lost_rst");
        assert_eq!(name(Path::new("/t/plain")), "plain");
    }
}
