//! Root, for the few commands that need it. Everything else runs as the calling user.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::command;
use crate::failure::{Failure, NO_PRIVILEGE, Result};

/// Set once sudo has been granted.
static SUDO_GRANTED: OnceLock<()> = OnceLock::new();

/// Whether xtask itself runs as root.
pub(crate) fn is_root() -> bool {
    // The owner of a process's directory is its effective user.
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// A command that runs `program` as root with `variables` set: directly for root, by sudo for others.
/// `why` completes the sentence "sudo is needed to ..".
pub(crate) fn as_root<P, K, V>(
    why: &str,
    program: P,
    variables: impl IntoIterator<Item = (K, V)>,
) -> Result<Command>
where
    P: AsRef<OsStr>,
    K: AsRef<OsStr>,
    V: AsRef<OsStr>,
{
    if is_root() {
        let mut command = Command::new(program);
        command.envs(variables);
        return Ok(command);
    }
    ask_for_sudo(why)?;
    // The sudoers file may forbid `sudo -E` and `sudo A=1`. `env` is a program like any other.
    let mut command = Command::new("sudo");
    command.arg("env");
    for (name, value) in variables {
        let mut assignment = OsString::from(name.as_ref());
        assignment.push("=");
        assignment.push(value.as_ref());
        command.arg(assignment);
    }
    command.arg(program);
    Ok(command)
}

/// Prints why sudo is needed and lets it ask for the password now, not in the middle of a step.
pub(crate) fn ask_for_sudo(why: &str) -> Result<()> {
    if is_root() || SUDO_GRANTED.get().is_some() {
        return Ok(());
    }
    let refused = |message: &str| {
        Err(Failure::new(format!("root is needed to {why}, and {message}"))
            .remedy("run the same command as root, or as a user who may use sudo")
            .code(NO_PRIVILEGE))
    };
    if command::find("sudo").is_none() {
        return refused("sudo is not installed");
    }
    eprintln!("    sudo is needed to {why}");
    let mut sudo = Command::new("sudo");
    if std::io::stdin().is_terminal() {
        sudo.arg("-v");
    } else {
        // Without a terminal nobody can type a password.
        sudo.args(["-n", "true"]).stdin(Stdio::null());
    }
    if !sudo.status().is_ok_and(|status| status.success()) {
        return refused("sudo did not grant it");
    }
    SUDO_GRANTED.get_or_init(|| ());
    Ok(())
}
