//! Why there is no checker, or no report.

use std::{io, net::IpAddr};

use kernel::error::TraceError;

/// Why a checker could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`Builder::require_half_open`](super::Builder::require_half_open) was set, and the guarantee
    /// cannot be given.
    #[error("half-open checks cannot be guaranteed: {0}")]
    NotHalfOpen(#[source] NoGuard),
    /// No slots: nothing could ever be checked.
    #[error("a checker needs at least one slot")]
    NoSlots,
    /// The range of source ports is empty, or holds 0.
    #[error("the range of source ports is empty or holds port 0")]
    SourcePorts,
    /// The source address is no host's: the kernel would send from another one.
    #[error("{0} cannot be a source: it is the wildcard, multicast or a broadcast address")]
    Source(IpAddr),
    /// The kernel gives no thread, epoll instance or eventfd.
    #[error("starting the worker: {0}")]
    Worker(#[source] io::Error),
}

/// Why the ACK guard does not stand.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoGuard {
    /// It was turned off, with [`Builder::ack_guard`](super::Builder::ack_guard) or
    /// [`Builder::kernel`](super::Builder::kernel).
    #[error("the ACK guard was turned off")]
    TurnedOff,
    /// The eBPF programs could not be loaded: what is missing, and the remedy.
    #[error(transparent)]
    NotLoaded(TraceError),
    /// There is no cgroup for it to stand on, or the kernel refuses it there.
    #[error("the ACK guard cannot stand: {0}")]
    CannotStand(String),
}

/// Why a check has no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// [`Checker::try_check`](super::Checker::try_check) found the queue full.
    #[error("the checker's queue is full")]
    QueueFull,
    /// The worker has ended; only a failure of the kernel's own system calls ends it early.
    #[error("the checker's worker has ended")]
    Stopped,
}
