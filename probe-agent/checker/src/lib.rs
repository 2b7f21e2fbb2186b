//! Half-open TCP health checks for any Rust program on Linux.
//!
//! A check sends a SYN, waits for the SYN-ACK and answers it with a RST. The backend's kernel takes part
//! in half a handshake; the backend's application never sees a connection. eBPF programs observe each
//! probe, so that its handshake is timed by the kernel and its result comes with a proof.
//!
//! One [`Checker`] serves a whole program. It is cheap to clone, and clones can be used from any number
//! of tasks and threads at once. A thread of its own runs the probes, so that no async runtime is needed:
//! [`Checker::check`] is a plain future for any executor, and [`Checker::check_blocking`] is for threads.
//!
//! ```
//! use std::{net::TcpListener, time::Duration};
//! use probe_agent_checker::{Checker, Outcome};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let backend = TcpListener::bind("127.0.0.1:0")?;
//! let checker = Checker::builder().slots(64).build()?;
//! let report = checker.check_blocking(backend.local_addr()?, Duration::from_secs(1))?;
//! assert_eq!(report.outcome, Outcome::Alive);
//! # Ok(())
//! # }
//! ```
//!
//! # Report now, verdict later
//!
//! A [`Report`] is available as soon as the probe has ended: what a load balancer needs to decide. Some
//! faults show later. A server that did not receive the RST, for instance, retransmits its SYN-ACK after
//! a second. The checker therefore waits for late kernel events during the settle window
//! ([`Builder::settle`]) and then passes a [`SettledProbe`] to the hook of [`Builder::on_settled`]: the
//! verdicts, each with its proof, a sentence, the evidence and advice.
//!
//! ```
//! use std::{net::TcpListener, sync::mpsc, time::Duration};
//! use probe_agent_checker::{Checker, Verdict};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (sender, settled) = mpsc::channel();
//! let checker = Checker::builder()
//!     .slots(64)
//!     .settle(Duration::from_millis(10))
//!     // The hook runs on the worker's thread: pass the probe on.
//!     .on_settled(move |probe| drop(sender.send(probe)))
//!     .build()?;
//!
//! let backend = TcpListener::bind("127.0.0.1:0")?;
//! let report = checker.check_blocking(backend.local_addr()?, Duration::from_secs(1))?;
//! let probe = settled.recv()?;
//! assert_eq!(probe.probe, report.probe);
//! assert_eq!(probe.findings[0].verdict, Verdict::Clean);
//! println!("{}", probe.findings[0]);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does to its host
//!
//! - **Threads.** One thread runs the probes. Where kernel events are available, a second one reads them.
//!   Both block all signals. A further one helps to load the programs.
//! - **Sockets.** Each slot has a socket and a source port, created when first needed. The limit of open
//!   files stays as it is.
//! - **eBPF.** The programs observe TCP sockets of this host; they report the checker's own probes only.
//!   Their object is part of the package: building needs stable Rust and no eBPF toolchain.
//! - **The ACK guard** ([`Builder::ack_guard`]). After a second SYN-ACK, or 200 ms after the first, a
//!   kernel would acknowledge it and so complete the handshake. The guard is a `cgroup_skb/egress` program
//!   that drops this ACK. It needs a cgroup of its own, so the process is moved into a child of its current
//!   cgroup until the last checker of the process has stopped. The limits of the parent also hold for the
//!   child. The program sees every packet that the process sends and passes all but the bare ACKs of
//!   probes. A socket keeps
//!   the cgroup in which it was opened.
//!
//! It installs no signal handlers, prints nothing, changes no sysctl and starts no program. Its functions
//! do not panic.
//!
//! # Privileges
//!
//! Checks need none. The kernel's timestamps, proofs and the ACK guard need CAP_BPF, CAP_PERFMON and
//! CAP_NET_ADMIN, and a cgroup v2 hierarchy that the process may write to; root has them all. What is
//! missing does not stop the checker: [`Checker::tracing`] and [`Checker::guard`] name it with the remedy,
//! and [`Report::half_open_enforced`] says for each check whether the guarantee held. A program that must
//! not run without the guarantee sets [`Builder::require_half_open`].
//!
//! # Stopping
//!
//! The worker stops when the last clone is dropped, or at [`Checker::shutdown`]. Both block until the
//! threads have ended, the programs are unloaded and the process is back in its own cgroup, which takes
//! about 0.1 s with the guard.
// A library returns errors: it does not panic, print or exit.
#![cfg_attr(
    not(test),
    deny(
        clippy::exit,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod block;
mod builder;
mod checker;
mod config;
mod error;
mod report;
mod settled;
mod stats;
mod support;
mod worker;

pub use self::{
    builder::Builder,
    checker::Checker,
    error::{BuildError, CheckError, GuardError},
    report::Report,
    settled::{Evidence, Finding, SettledProbe},
    stats::Stats,
    support::Support,
};
pub use model::{
    outcome::Outcome,
    record::ProbeId,
    verdict::{Proof, Verdict},
};

/// The examples of the README are compiled and run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
