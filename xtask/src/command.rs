//! Runs other programs. Their standard input is empty, so that none can wait for a key.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::{Failure, OrFail, Result};

/// Runs `command` and shows its output. Fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status().or_fail(|| start_of(command))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` failed ({status})", display(command))))
}

/// Runs `command` and returns its standard output. If it fails, the message quotes its standard error.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().or_fail(|| start_of(command))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(Failure::new(format!("`{}` failed ({}): {last}", display(command), output.status)))
}

/// Like [`capture`], but shows the standard error.
pub(crate) fn capture_visible(command: &mut Command) -> Result<String> {
    command.stderr(Stdio::inherit());
    capture(command)
}

/// Whether `command` can be started and succeeds. Its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    capture(command).is_ok()
}

/// The command line as a person would type it.
pub(crate) fn display(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Finds `program` on PATH, or in the directories of administrators' programs, which an ordinary user's PATH
/// lacks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrators = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(administrators)
        .map(|directory| directory.join(program))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

fn start_of(command: &Command) -> String {
    format!("start `{}`", command.get_program().to_string_lossy())
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:+,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_displayed_command_can_be_pasted_into_a_shell() {
        let mut command = Command::new("env");
        command.args(["A=1", "two words", "it's", ""]);
        assert_eq!(display(&command), r"env A=1 'two words' 'it'\''s' ''");
    }

    #[test]
    fn a_failure_quotes_the_last_line_of_standard_error() {
        let error = capture(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().ends_with("why"), "{error}");
    }
}
