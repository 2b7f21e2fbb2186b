//! A network namespace without a name.
//!
//! ```text
//!   fork thread: unshare(CLONE_NEWNET), then waits for processes to start
//!        |
//!        +-- descriptor of /proc/thread-self/ns/net, held by `Namespace`, close-on-exec
//!                 |
//!                 +-- run():     a thread of its own, setns() first
//!                 +-- command(): a process, setns() between fork and exec
//!                 +-- path():    /proc/PID/fd/N, for other programs
//! ```
//!
//! Names in /var/run/netns are bind mounts and outlive the process that made them. Descriptors and
//! threads do not, so SIGKILL leaves nothing behind. `ip netns exec` is never used: it mounts a new /sys,
//! which hides tracefs and the cgroups from the program.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use super::fork_thread::ForkThread;
use super::{LabError, Process, Result, process};

/// A network namespace that exists until this value is dropped.
///
/// Sockets made in it keep it alive a little longer: until they are closed.
#[derive(Debug)]
pub struct Namespace {
    role: &'static str,
    fd: OwnedFd,
    forks: ForkThread,
}

impl Namespace {
    /// Makes an empty namespace. `role` appears in error messages.
    ///
    /// # Errors
    /// [`LabError::Namespace`] without privilege.
    pub fn new(role: &'static str) -> Result<Self> {
        let error = |source| LabError::Namespace { operation: "create", namespace: role, source };
        let (forks, fd) = ForkThread::start(role, || {
            unshare(CloneFlags::CLONE_NEWNET)?;
            Ok(OwnedFd::from(File::open("/proc/thread-self/ns/net")?))
        })
        .map_err(error)?;
        Ok(Self { role, fd, forks })
    }

    /// The role of this namespace, "client" or "server".
    #[must_use]
    pub const fn role(&self) -> &'static str {
        self.role
    }

    /// A path that names the namespace for as long as this process has it, for `setns` in any
    /// process of the same user, such as `probe-agent check --netns PATH`.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.fd.as_raw_fd()))
    }

    /// A descriptor of the namespace, for `setns` in this process.
    ///
    /// # Errors
    /// [`LabError::Namespace`] if the descriptor cannot be duplicated.
    pub fn file(&self) -> Result<File> {
        self.fd.try_clone().map(File::from).map_err(|source| self.error("hold", source))
    }

    /// Inode number on nsfs, which identifies the namespace on the host (`lsns` shows it).
    ///
    /// # Errors
    /// [`LabError::Namespace`] if `fstat` fails.
    pub fn inode(&self) -> Result<u64> {
        nix::sys::stat::fstat(&self.fd)
            .map(|stat| stat.st_ino)
            .map_err(|errno| self.error("identify", errno.into()))
    }

    /// Runs `body` in a thread inside the namespace and waits for it. A socket that it returns
    /// stays in the namespace. A panic continues in the caller.
    ///
    /// # Errors
    /// [`LabError::Namespace`] if the namespace cannot be entered; `body` did not run then.
    pub fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> Result<T> {
        let inside = || {
            setns(&self.fd, CloneFlags::CLONE_NEWNET)?;
            Ok(body())
        };
        let outcome: io::Result<T> = thread::scope(|scope| {
            let thread = thread::Builder::new().name(format!("in {}", self.role));
            match thread.spawn_scoped(scope, inside)?.join() {
                Ok(outcome) => outcome,
                Err(panic) => panic::resume_unwind(panic),
            }
        });
        outcome.map_err(|source| self.error("enter", source))
    }

    /// A program that will run inside the namespace, and be killed when the thread that starts it
    /// ends. To let it run longer than that, use [`Namespace::spawn`].
    ///
    /// # Errors
    /// [`LabError::Namespace`] if the descriptor cannot be duplicated.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Result<Command> {
        let fd = self.fd.try_clone().map_err(|source| self.error("hold", source))?;
        let mut command = Command::new(program);
        process::confine(&mut command, fd);
        Ok(command)
    }

    /// Starts a command made by [`Namespace::command`]. It dies with the returned value, with the
    /// namespace, or with this process, whichever ends first.
    ///
    /// # Errors
    /// [`LabError::Run`] if it cannot be started.
    pub fn spawn(&self, command: Command) -> Result<Process> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut command = command;
        self.forks.call(move || command.spawn()).map(Process::new).map_err(|source| LabError::Run {
            program,
            namespace: self.role,
            source,
        })
    }

    /// Sets a kernel parameter of this namespace, such as `net.ipv4.tcp_synack_retries`.
    ///
    /// # Errors
    /// [`LabError::Sysctl`] if this kernel has no such parameter or refuses the value.
    pub fn sysctl(&self, name: &str, value: &str) -> Result<()> {
        // The view of /proc/sys/net follows the namespace of the thread that opens the file.
        self.run(|| fs::write(sysctl_path(name), value))?.map_err(|source| LabError::Sysctl {
            operation: format!("set to {value}"),
            name: name.to_owned(),
            namespace: self.role,
            source,
        })
    }

    /// Reads a kernel parameter of this namespace.
    ///
    /// # Errors
    /// [`LabError::Sysctl`] if this kernel has no such parameter.
    pub fn read_sysctl(&self, name: &str) -> Result<String> {
        let text = self.run(|| fs::read_to_string(sysctl_path(name)))?;
        text.map(|text| text.trim().to_owned()).map_err(|source| LabError::Sysctl {
            operation: "read".to_owned(),
            name: name.to_owned(),
            namespace: self.role,
            source,
        })
    }

    fn error(&self, operation: &'static str, source: io::Error) -> LabError {
        LabError::Namespace { operation, namespace: self.role, source }
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn sysctl_path(name: &str) -> PathBuf {
    Path::new("/proc/sys").join(name.replace('.', "/"))
}
