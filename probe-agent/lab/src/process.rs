//! Processes inside a namespace that cannot outlive it.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::sched::{CloneFlags, setns};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getppid};

/// A process in a namespace; dropping it kills and reaps it.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    pub(super) const fn new(child: Child) -> Self {
        Self(child)
    }

    /// The process itself, to wait for it or to take its pipes.
    pub const fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if the process has already been reaped.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Makes the command run in the namespace, and be killed when the thread that starts it ends.
pub(super) fn confine(command: &mut Command, namespace: OwnedFd) {
    let parent = Pid::this();
    let enter = move || -> io::Result<()> {
        prctl::set_pdeathsig(Signal::SIGKILL)?;
        // If the parent died before the line above, the signal will not come.
        if getppid() != parent {
            return Err(io::Error::from(io::ErrorKind::Interrupted));
        }
        setns(&namespace, CloneFlags::CLONE_NEWNET)?;
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes
    // three system calls (prctl, getppid, setns), takes no lock and allocates nothing: an errno or
    // an error kind becomes an io::Error without a heap object.
    unsafe { command.pre_exec(enter) };
}
