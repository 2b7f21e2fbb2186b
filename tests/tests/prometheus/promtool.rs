//! Runs `promtool`.

use std::{
    env,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

/// Set to 1 where everything that tests need is available.
const REQUIRE: &str = "PROBE_AGENT_REQUIRE_PRIVILEGE";

/// Whether a program of the package is installed. If not, a line on standard error says that a test is skipped.
///
/// # Panics
/// It is not installed although everything is required to be.
pub(crate) fn has(program: &str) -> bool {
    let found = env::var_os("PATH")
        .is_some_and(|paths| env::split_paths(&paths).any(|path| path.join(program).is_file()));
    if !found {
        let test = std::thread::current();
        let test = test.name().unwrap_or("?");
        assert!(
            env::var_os(REQUIRE).is_none_or(|value| value != "1"),
            "{test} needs {program}, and {REQUIRE}=1 requires it: run `cargo xtask setup`"
        );
        eprintln!("SKIPPED {test}: {program} is not installed; run `cargo xtask setup`");
    }
    found
}

/// Passes `input` to `promtool` and returns whether it was content, and everything that it printed.
pub(crate) fn promtool(arguments: &[&str], directory: &Path, input: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    stdin.write_all(input.as_bytes()).expect("promtool reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("promtool ends");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
