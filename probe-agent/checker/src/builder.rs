//! The settings of a checker.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use tokio::sync::Semaphore;

use crate::{BuildError, Checker, GuardError, SettledProbe, config::CheckerConfig, worker};

/// The longest settle window: more cannot be added to any time in nanoseconds without overflow, and no
/// event arrives this late.
const LONGEST_SETTLE: Duration = Duration::from_hours(365 * 24);

/// The settings of a [`Checker`], each with a default. [`Checker::builder`] makes one; [`Self::build`]
/// starts the checker.
#[must_use = "a builder does nothing until `build` is called"]
#[derive(Debug, Default)]
pub struct Builder(CheckerConfig);

impl Checker {
    /// A [`Builder`] with the default settings.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// The source address. Default: the one that the routing table selects for each backend. Backends of
    /// the other address family cannot be reached from it.
    pub fn source(mut self, address: IpAddr) -> Self {
        self.0.settings.socket.source = Some(address.to_canonical());
        self
    }

    /// The source ports. Default: the host's `net.ipv4.ip_local_port_range`.
    pub fn source_ports(mut self, ports: RangeInclusive<u16>) -> Self {
        self.0.settings.socket.ports = Some(ports);
        self
    }

    /// Allows a source address that is not local (`IP_FREEBIND`). Default: false. Needs CAP_NET_ADMIN.
    pub fn freebind(mut self, freebind: bool) -> Self {
        self.0.settings.socket.freebind = freebind;
        self
    }

    /// The interface that probes leave by (`SO_BINDTODEVICE`). Default: the routing table decides.
    pub fn interface(mut self, name: impl Into<String>) -> Self {
        self.0.settings.socket.interface = Some(name.into());
        self
    }

    /// The mark of the packets (`SO_MARK`), for policy routing. Default: none. Needs CAP_NET_ADMIN.
    pub fn mark(mut self, mark: u32) -> Self {
        self.0.settings.socket.mark = Some(mark);
        self
    }

    /// The maximum number of sockets. Default: 1,024. Each takes a source port, a file descriptor and
    /// about 3 KiB of kernel memory, and runs one probe at a time. If there is more than one, one is
    /// reserved for confirmation probes.
    pub fn slots(mut self, slots: u32) -> Self {
        self.0.settings.slots = slots;
        self
    }

    /// The number of checks that may wait for the worker, at least 1. Default: 4,096. When the queue is
    /// full, [`Checker::check`] waits for room and [`Checker::try_check`] fails.
    pub fn queue(mut self, checks: usize) -> Self {
        // A longer queue makes tokio panic. No host has the memory for this one.
        self.0.queue = checks.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// The settle window: how long the checker waits for late kernel events after a probe. Default: 2 s.
    /// Reports do not wait for it; [`Self::on_settled`] does. While other source ports are available, a
    /// port does not probe the same backend again within the window. Each settling probe takes about 400
    /// bytes. A longer window than a year is taken as a year.
    pub fn settle(mut self, window: Duration) -> Self {
        self.0.settings.settle = window.min(LONGEST_SETTLE);
        self
    }

    /// Whether to load the eBPF programs: for the kernel's timestamps, for verdicts with proof, and for
    /// the ACK guard. Default: true. Where they cannot be loaded, the checker works without them and
    /// [`Checker::tracing`] reports why.
    pub fn kernel(mut self, wanted: bool) -> Self {
        self.0.kernel = wanted;
        self
    }

    /// Whether to attach the ACK guard. Default: true. With the guard no check completes a handshake,
    /// even when a SYN-ACK arrives twice or the host stalls. The process is moved into a child cgroup
    /// for it. Where it cannot be attached, the checker works without it and [`Checker::guard`] reports
    /// why.
    pub fn ack_guard(mut self, wanted: bool) -> Self {
        self.0.ack_guard = wanted;
        self
    }

    /// Whether [`Self::build`] fails where the ACK guard cannot be attached. Default: false.
    pub fn require_half_open(mut self, required: bool) -> Self {
        self.0.require_half_open = required;
        self
    }

    /// A hook that receives each probe once more, when its settle window has passed: with verdicts,
    /// proof and evidence. When the checker stops, it receives the probes that have not settled, judged
    /// by what was observed until then.
    ///
    /// The hook runs on the worker's thread and delays it: send the value to another thread for anything
    /// slow. A panic of the hook is counted in [`Stats::hook_panics`](crate::Stats::hook_panics), and
    /// the worker continues. A hook that owns a clone of its checker keeps it running until
    /// [`Checker::shutdown`] is called.
    pub fn on_settled(mut self, hook: impl FnMut(SettledProbe) + Send + 'static) -> Self {
        self.0.on_settled = Some(Box::new(hook));
        self
    }

    /// Starts the checker. Loading the eBPF programs takes about a tenth of a second.
    ///
    /// Probes leave from the network namespace of the thread that calls this.
    ///
    /// # Errors
    /// [`BuildError::NotHalfOpen`] if the guarantee is required and cannot be given; another variant if
    /// a setting is invalid or the worker cannot be started.
    pub fn build(mut self) -> Result<Checker, BuildError> {
        let ports = &self.0.settings.socket.ports;
        if ports.as_ref().is_some_and(|p| p.is_empty() || *p.start() == 0) {
            return Err(BuildError::SourcePorts);
        }
        if let Some(source) = self.0.settings.socket.source {
            engine::source_address::check(source).map_err(|_| BuildError::Source(source))?;
        }
        if self.0.settings.slots == 0 {
            return Err(BuildError::NoSlots);
        }
        if self.0.require_half_open && !(self.0.kernel && self.0.ack_guard) {
            return Err(BuildError::NotHalfOpen(GuardError::TurnedOff));
        }
        self.0.settings.concurrency = (self.0.settings.slots - 1).max(1) as usize;
        worker::start(self.0)
    }
}
