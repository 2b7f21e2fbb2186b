//! Counters that the hooks keep, of each CPU by itself.

/// Index into a CPU's part of the `COUNTERS` array.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counter {
    /// Records put into the ring buffer.
    Events = 0,
    /// Records for which the ring buffer had no room: each is a lost event.
    EventsLost = 1,
    /// Events with a field that no known kernel writes there; each is also logged by aya-log.
    Anomalies = 2,
    /// ACKs of probe sockets that the ACK guard held back.
    AcksHeld = 3,
    /// RSTs of the agent's network namespace that the hooks saw, of all its sockets. Its `TcpOutRsts`
    /// grows by as many, unless the kernel skipped a hook.
    RstsSeen = 4,
    /// Sockets of the agent's cgroup that began to listen.
    ListensSeen = 5,
}

impl Counter {
    /// How many there are.
    pub const COUNT: u32 = 6;
}
