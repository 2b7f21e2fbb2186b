//! Root, for the few things that need it. Everything else runs as the user who called.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::command;
use crate::failure::{Failure, NO_PRIVILEGE, Result};

/// Whether the reason for sudo was given and the password was asked for already.
static SUDO_GRANTED: OnceLock<()> = OnceLock::new();

/// Whether xtask itself runs as root.
pub(crate) fn is_root() -> bool {
    // The kernel gives a process's directory to its effective user.
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// A command that runs `program` as root with `variables` set: directly for root, through sudo for others.
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
    // `sudo -E` and `sudo A=1` may both be refused by the sudoers file; `env` is a program like another.
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

/// Says why sudo is needed and lets it ask for the password now, not in the middle of a step.
pub(crate) fn ask_for_sudo(why: &str) -> Result<()> {
    if is_root() || SUDO_GRANTED.get().is_some() {
        return Ok(());
    }
    let refused = |message: &str| {
        Err(Failure::new(format!("root is needed to {why}, and {message}"))
            .remedy("run the same command as root, or as a user whom sudo lets become root")
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
