//! Why there is no checker, or no report.

use std::{io, net::IpAddr};

/// Why a checker could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// [`Builder::require_half_open`](crate::Builder::require_half_open) was set, and the guarantee
    /// cannot be given.
    #[error("half-open checks cannot be guaranteed: {0}")]
    NotHalfOpen(#[source] GuardError),
    /// No slots: nothing could ever be checked.
    #[error("a checker needs at least one slot")]
    NoSlots,
    /// The range of source ports is empty or contains 0.
    #[error("the range of source ports is empty or contains port 0")]
    SourcePorts,
    /// The source address is not the address of a host. The kernel would send from another one.
    #[error("{0} cannot be a source: it is the wildcard, multicast or a broadcast address")]
    Source(IpAddr),
    /// The kernel did not provide a thread, an epoll instance or an eventfd.
    #[error("cannot start the worker: {0}")]
    Worker(#[source] io::Error),
}

/// Why the ACK guard is not attached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// It was turned off, by [`Builder::ack_guard`](crate::Builder::ack_guard) or
    /// [`Builder::kernel`](crate::Builder::kernel).
    #[error("the ACK guard was turned off")]
    TurnedOff,
    /// The eBPF programs could not be loaded. The text names what is missing and the remedy.
    #[error("{0}")]
    NotLoaded(String),
    /// The guard has no cgroup to be attached to, or the kernel refused to attach it there.
    #[error("the ACK guard cannot be attached: {0}")]
    NotAttached(String),
}

/// Why a check has no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// [`Checker::try_check`](crate::Checker::try_check) found the queue full.
    #[error("the checker's queue is full")]
    QueueFull,
    /// The worker has ended: by [`Checker::shutdown`](crate::Checker::shutdown), or because a system
    /// call failed that it cannot work without.
    #[error("the checker's worker has ended")]
    Stopped,
}
