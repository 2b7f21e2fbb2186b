//! How a checker is to be built.

use model::expect::Expect;
use std::{fmt, net::IpAddr, ops::RangeInclusive, time::Duration};

use super::{BuildError, Checker, ExplainedProbe, NoGuard, worker};
use engine::settings::{PortPolicy, Settings, SocketSettings};

/// Sockets that a checker keeps unless told otherwise. At some 100 us for each probe nearby, they are
/// enough for all that one thread can do; far away, at 100 ms, for 10,000 checks a second.
const SLOTS: u32 = 1024;

/// Checks that wait for the worker unless told otherwise.
const QUEUE: usize = 4096;

/// How long a probe is followed unless told otherwise: a Linux server that did not get the RST asks
/// again after 1 s.
const SETTLE: Duration = Duration::from_secs(2);

/// Takes the probes that have settled.
pub(super) type Hook = Box<dyn FnMut(ExplainedProbe) + Send>;

/// Says how a [`Checker`] is to be built.
#[must_use = "nothing is built before `build`"]
pub struct Builder {
    pub(super) settings: Settings,
    pub(super) queue: usize,
    pub(super) kernel: bool,
    pub(super) ack_guard: bool,
    pub(super) require_half_open: bool,
    pub(super) on_settled: Option<Hook>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings {
                interval: Duration::ZERO,
                concurrency: 0,
                timeout: Duration::ZERO,
                settle: SETTLE,
                slots: SLOTS,
                first_slot: 0,
                port_policy: PortPolicy::Rotate,
                expect: Expect::Open,
                socket: SocketSettings::default(),
            },
            queue: QUEUE,
            kernel: true,
            ack_guard: true,
            require_half_open: false,
            on_settled: None,
        }
    }
}

impl Builder {
    /// Source address; else the one that the routing table chooses for each backend. Backends of the
    /// other address family cannot be reached from it.
    pub fn source(mut self, address: IpAddr) -> Self {
        self.settings.socket.source = Some(address.to_canonical());
        self
    }

    /// Source ports; else the host's `net.ipv4.ip_local_port_range`.
    pub fn source_ports(mut self, ports: RangeInclusive<u16>) -> Self {
        self.settings.socket.ports = Some(ports);
        self
    }

    /// The source address need not be local (`IP_FREEBIND`); needs CAP_NET_ADMIN.
    pub fn freebind(mut self, freebind: bool) -> Self {
        self.settings.socket.freebind = freebind;
        self
    }

    /// Interface to leave by (`SO_BINDTODEVICE`).
    pub fn interface(mut self, name: impl Into<String>) -> Self {
        self.settings.socket.interface = Some(name.into());
        self
    }

    /// Mark of the packets (`SO_MARK`), for policy routing; needs CAP_NET_ADMIN.
    pub fn mark(mut self, mark: u32) -> Self {
        self.settings.socket.mark = Some(mark);
        self
    }

    /// Sockets to keep at most, 1,024 unless told otherwise. Each takes a source port, a file descriptor
    /// and about 3 KiB of kernel memory, and runs one probe at a time. One of them is kept for second
    /// opinions on refusals in doubt, if there is more than one.
    pub fn slots(mut self, slots: u32) -> Self {
        self.settings.slots = slots;
        self
    }

    /// Checks that may wait for the worker, at least 1, 4,096 unless told otherwise. Beyond,
    /// [`Checker::check`] waits for room and [`Checker::try_check`] is refused.
    pub fn queue(mut self, checks: usize) -> Self {
        self.queue = checks;
        self
    }

    /// How long late events are waited for after a probe, 2 s unless told otherwise. No report waits for
    /// that; a source port rests for so long before it probes the same backend again, while there are
    /// others. What is remembered of each probe meanwhile takes some 400 bytes.
    pub fn settle(mut self, window: Duration) -> Self {
        self.settings.settle = window;
        self
    }

    /// Whether to load the eBPF programs, if they can be: for the kernel's times, for verdicts with
    /// proof, and for the ACK guard. On unless told otherwise.
    pub fn kernel(mut self, wanted: bool) -> Self {
        self.kernel = wanted;
        self
    }

    /// Whether to put up the ACK guard, if it can be: then no check completes a handshake, not even
    /// when a SYN-ACK comes twice or the host stalls. The process is moved into a cgroup of its own for
    /// it. On unless told otherwise.
    pub fn ack_guard(mut self, wanted: bool) -> Self {
        self.ack_guard = wanted;
        self
    }

    /// Whether [`Self::build`] is to fail where the ACK guard cannot stand. Off unless told otherwise.
    pub fn require_half_open(mut self, required: bool) -> Self {
        self.require_half_open = required;
        self
    }

    /// Tells of each probe once more when its settle window has passed: with verdicts, proof and
    /// evidence. A hook runs on the worker's thread and holds it up: let it pass on what it gets. Should
    /// it panic, that is counted ([`Stats::hook_panics`](super::Stats::hook_panics)) and the worker
    /// goes on. When the checker is dropped, it gets the probes that have not settled, as they are.
    pub fn on_settled(mut self, hook: impl FnMut(ExplainedProbe) + Send + 'static) -> Self {
        self.on_settled = Some(Box::new(hook));
        self
    }

    /// Starts the worker. Loading the eBPF programs takes a tenth of a second or so.
    ///
    /// Checks leave from the network namespace of the thread that calls this.
    ///
    /// # Errors
    /// [`BuildError::NotHalfOpen`] if the guarantee is required and cannot be given, else where the
    /// settings make no sense or the kernel gives no thread.
    pub fn build(mut self) -> Result<Checker, BuildError> {
        let ports = &self.settings.socket.ports;
        if ports.as_ref().is_some_and(|p| p.is_empty() || *p.start() == 0) {
            return Err(BuildError::SourcePorts);
        }
        if let Some(source) = self.settings.socket.source {
            engine::source::check(source).map_err(|_| BuildError::Source(source))?;
        }
        if self.settings.slots == 0 {
            return Err(BuildError::NoSlots);
        }
        if self.require_half_open && !(self.kernel && self.ack_guard) {
            return Err(BuildError::NotHalfOpen(NoGuard::TurnedOff));
        }
        self.settings.concurrency = (self.settings.slots - 1).max(1) as usize;
        worker::start(self)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { settings, queue, kernel, ack_guard, require_half_open, on_settled } = self;
        f.debug_struct("Builder")
            .field("settings", settings)
            .field("queue", queue)
            .field("kernel", kernel)
            .field("ack_guard", ack_guard)
            .field("require_half_open", require_half_open)
            .field("on_settled", &on_settled.is_some())
            .finish()
    }
}
