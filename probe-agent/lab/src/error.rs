//! What can go wrong with a lab.

use std::io;
use std::net::SocketAddr;

/// An error of the lab: one line with the operation, its operand, the cause and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A namespace could not be created, entered or used.
    #[error("cannot {operation} the network namespace {namespace:?}: {source}{}", remedy(.source))]
    Namespace {
        /// What was tried, a verb such as "create".
        operation: &'static str,
        /// The namespace's role in the lab.
        namespace: &'static str,
        /// The kernel's error.
        source: io::Error,
    },
    /// A program that the lab needs is not installed.
    #[error("the lab needs the program {program}: install it with `apt install {package}`")]
    Missing {
        /// Name of the program.
        program: String,
        /// Debian's package that holds it.
        package: &'static str,
    },
    /// A program could not be started or stopped.
    #[error("cannot run {program} in the namespace {namespace:?}: {source}{}", remedy(.source))]
    Run {
        /// Name of the program.
        program: String,
        /// The namespace's role in the lab.
        namespace: &'static str,
        /// The kernel's error.
        source: io::Error,
    },
    /// `ip` or `nft` ran and failed.
    #[error("{program} failed in the namespace {namespace:?} ({status}): {message}")]
    Tool {
        /// Name of the program.
        program: &'static str,
        /// The namespace's role in the lab.
        namespace: &'static str,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// Its standard error on one line.
        message: String,
    },
    /// The output of `nft` could not be parsed.
    #[error("cannot parse the output of nft about {operand}: {message}")]
    Answer {
        /// What was asked.
        operand: String,
        /// What is wrong with the output.
        message: String,
    },
    /// The link did not become usable.
    #[error("the link {link} did not come up: {source}{}", remedy(.source))]
    Link {
        /// Name of the interface.
        link: &'static str,
        /// The kernel's error; `WouldBlock` after the time limit.
        source: io::Error,
    },
    /// A kernel parameter could not be set or read.
    #[error("cannot {operation} {name} in the namespace {namespace:?}: {source}{}", remedy(.source))]
    Sysctl {
        /// "set to VALUE" or "read".
        operation: String,
        /// The parameter in its dotted spelling.
        name: String,
        /// The namespace's role in the lab.
        namespace: &'static str,
        /// The kernel's error.
        source: io::Error,
    },
    /// A file below `/proc/thread-self/net` could not be read.
    #[error("cannot read {path}: {source}{}", remedy(.source))]
    Proc {
        /// The file.
        path: &'static str,
        /// The kernel's error.
        source: io::Error,
    },
    /// A file below `/proc/thread-self/net` has an unexpected format.
    #[error("cannot parse a line of {path}: {line:?}")]
    ProcLine {
        /// The file.
        path: &'static str,
        /// The line.
        line: String,
    },
    /// A socket operation of a server or client of the lab failed.
    #[error("cannot {operation} {address}: {source}{}", remedy(.source))]
    Socket {
        /// What was tried, a verb such as "bind to".
        operation: &'static str,
        /// Local address for servers, remote address for clients.
        address: SocketAddr,
        /// The kernel's error.
        source: io::Error,
    },
    /// The fault is not valid.
    #[error("cannot inject the fault: {0}")]
    Fault(String),
    /// The lab of the fault or process was dropped.
    #[error("the lab no longer exists")]
    Gone,
    /// No subnet could be claimed.
    #[error("cannot claim a subnet: {source} (at most {limit} labs run at the same time)")]
    Subnet {
        /// How many there are.
        limit: u16,
        /// The kernel's error at the last attempt.
        source: io::Error,
    },
}

fn remedy(source: &io::Error) -> &'static str {
    match source.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => {
            " (run as root, or with CAP_SYS_ADMIN and CAP_NET_ADMIN)"
        }
        // fork(2) and pthread_create(3).
        Some(libc::EAGAIN) => " (raise `ulimit -u` or the cgroup's pids.max)",
        Some(libc::EMFILE) => " (raise `ulimit -n`)",
        Some(libc::ENFILE) => " (raise fs.file-max)",
        _ => "",
    }
}
