//! The settings of a checker.

use std::{fmt, net::IpAddr, ops::RangeInclusive, time::Duration};

use tokio::sync::Semaphore;

use engine::settings::{PortPolicy, Settings, SocketSettings};
use model::expect::Expect;

use crate::{BuildError, Checker, GuardError, SettledProbe, worker};

/// Default number of slots. A probe of a nearby backend takes some 100 us, so that these are enough for
/// all that one thread can do. At 100 ms they are enough for 10,000 checks a second.
const SLOTS: u32 = 1024;

/// Default bound of the queue.
const QUEUE: usize = 4096;

/// Default settle window. A Linux server that did not receive the RST retransmits its SYN-ACK after 1 s.
const SETTLE: Duration = Duration::from_secs(2);

/// The longest settle window: more cannot be added to any time in nanoseconds without overflow, and no
/// event arrives this late.
const LONGEST_SETTLE: Duration = Duration::from_hours(365 * 24);

/// Receives the settled probes.
pub(crate) type Hook = Box<dyn FnMut(SettledProbe) + Send>;

/// The settings of a [`Checker`], each with a default. [`Checker::builder`] makes one; [`Self::build`]
/// starts the checker.
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    pub(crate) settings: Settings,
    pub(crate) queue: usize,
    pub(crate) kernel: bool,
    pub(crate) ack_guard: bool,
    pub(crate) require_half_open: bool,
    pub(crate) on_settled: Option<Hook>,
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
    /// The source address. Default: the one that the routing table selects for each backend. Backends of
    /// the other address family cannot be reached from it.
    pub fn source(mut self, address: IpAddr) -> Self {
        self.settings.socket.source = Some(address.to_canonical());
        self
    }

    /// The source ports. Default: the host's `net.ipv4.ip_local_port_range`.
    pub fn source_ports(mut self, ports: RangeInclusive<u16>) -> Self {
        self.settings.socket.ports = Some(ports);
        self
    }

    /// Allows a source address that is not local (`IP_FREEBIND`). Default: false. Needs CAP_NET_ADMIN.
    pub fn freebind(mut self, freebind: bool) -> Self {
        self.settings.socket.freebind = freebind;
        self
    }

    /// The interface that probes leave by (`SO_BINDTODEVICE`). Default: the routing table decides.
    pub fn interface(mut self, name: impl Into<String>) -> Self {
        self.settings.socket.interface = Some(name.into());
        self
    }

    /// The mark of the packets (`SO_MARK`), for policy routing. Default: none. Needs CAP_NET_ADMIN.
    pub fn mark(mut self, mark: u32) -> Self {
        self.settings.socket.mark = Some(mark);
        self
    }

    /// The maximum number of sockets. Default: 1,024. Each takes a source port, a file descriptor and
    /// about 3 KiB of kernel memory, and runs one probe at a time. If there is more than one, one is
    /// reserved for confirmation probes.
    pub fn slots(mut self, slots: u32) -> Self {
        self.settings.slots = slots;
        self
    }

    /// The number of checks that may wait for the worker, at least 1. Default: 4,096. When the queue is
    /// full, [`Checker::check`] waits for room and [`Checker::try_check`] fails.
    pub fn queue(mut self, checks: usize) -> Self {
        // A longer queue makes tokio panic. No host has the memory for this one.
        self.queue = checks.clamp(1, Semaphore::MAX_PERMITS);
        self
    }

    /// The settle window: how long the checker waits for late kernel events after a probe. Default: 2 s.
    /// Reports do not wait for it; [`Self::on_settled`] does. While other source ports are available, a
    /// port does not probe the same backend again within the window. Each settling probe takes about 400
    /// bytes. A longer window than a year is taken as a year.
    pub fn settle(mut self, window: Duration) -> Self {
        self.settings.settle = window.min(LONGEST_SETTLE);
        self
    }

    /// Whether to load the eBPF programs: for the kernel's timestamps, for verdicts with proof, and for
    /// the ACK guard. Default: true. Where they cannot be loaded, the checker works without them and
    /// [`Checker::tracing`] reports why.
    pub fn kernel(mut self, wanted: bool) -> Self {
        self.kernel = wanted;
        self
    }

    /// Whether to attach the ACK guard. Default: true. With the guard no check completes a handshake,
    /// even when a SYN-ACK arrives twice or the host stalls. The process is moved into a child cgroup
    /// for it. Where it cannot be attached, the checker works without it and [`Checker::guard`] reports
    /// why.
    pub fn ack_guard(mut self, wanted: bool) -> Self {
        self.ack_guard = wanted;
        self
    }

    /// Whether [`Self::build`] fails where the ACK guard cannot be attached. Default: false.
    pub fn require_half_open(mut self, required: bool) -> Self {
        self.require_half_open = required;
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
        self.on_settled = Some(Box::new(hook));
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
        let ports = &self.settings.socket.ports;
        if ports.as_ref().is_some_and(|p| p.is_empty() || *p.start() == 0) {
            return Err(BuildError::SourcePorts);
        }
        if let Some(source) = self.settings.socket.source {
            engine::addresses::check(source).map_err(|_| BuildError::Source(source))?;
        }
        if self.settings.slots == 0 {
            return Err(BuildError::NoSlots);
        }
        if self.require_half_open && !(self.kernel && self.ack_guard) {
            return Err(BuildError::NotHalfOpen(GuardError::TurnedOff));
        }
        self.settings.concurrency = (self.settings.slots - 1).max(1) as usize;
        worker::start(self)
    }
}

/// Shows the settings; of the hook only whether there is one.
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
