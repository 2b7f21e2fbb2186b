//! The result of a check.

use std::{fmt, net::SocketAddr, time::Duration};

use engine::requests::Response;
use model::{
    errno::errno_text,
    flow,
    outcome::Outcome,
    record::{HalfOpen, ProbeId, ProbeRecord},
};

/// The result of a check. It is available as soon as the probe has ended; the verdict with its proof
/// follows later, as a [`SettledProbe`](crate::SettledProbe).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The address that was checked.
    pub address: SocketAddr,
    /// How the check ended.
    pub outcome: Outcome,
    /// The time from SYN to SYN-ACK; `None` unless alive.
    pub handshake: Option<Duration>,
    /// `handshake` was measured by kernel events. If not, it includes the wake-up of the worker.
    pub timed_by_kernel: bool,
    /// The time from the call to the SYN: the wait in the queue, and the wake-up of the worker.
    pub waited: Duration,
    /// The source port of the probe; `None` if the probe never had a socket.
    pub local_port: Option<u16>,
    /// The ACK guard was attached while the probe ran: no ACK can have completed the handshake. If
    /// false, the handshake stayed half-open unless the SYN-ACK came twice or the host stalled for
    /// 200 ms.
    pub half_open_enforced: bool,
    /// The `errno` of a probe that failed; `None` if it ended by the check's own timeout.
    pub errno: Option<i32>,
    /// A stale half-open connection at the server refused the first probe, and a confirmation probe
    /// (from another port, if one was free) found the backend alive.
    pub falsely_refused: bool,
    /// The probe that decided. Its [`SettledProbe`](crate::SettledProbe) has the same
    /// [`probe`](crate::SettledProbe::probe).
    pub probe: ProbeId,
}

impl Report {
    pub(crate) fn new(address: SocketAddr, asked_at: u64, response: &Response) -> Self {
        let probe = &response.probe;
        Self {
            address,
            outcome: probe.outcome,
            handshake: probe.handshake_ns().map(Duration::from_nanos),
            timed_by_kernel: probe.kernel.is_some_and(|k| k.established_at != 0),
            waited: Duration::from_nanos(probe.syn_at().saturating_sub(asked_at)),
            local_port: local_port(probe),
            half_open_enforced: probe.half_open == HalfOpen::Enforced,
            errno: Some(probe.errno).filter(|errno| *errno != 0),
            falsely_refused: response.falsely_refused,
            probe: probe.id,
        }
    }

    /// Whether the backend answered with a SYN-ACK.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.outcome == Outcome::Alive
    }
}

/// The source port of a probe; `None` if it never had a socket.
pub(crate) fn local_port(probe: &ProbeRecord) -> Option<u16> {
    Some(flow::local(&probe.flow).port()).filter(|port| *port != 0)
}

/// One line: `alive in 84.1µs`, `refused (Connection refused)`.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.outcome.name())?;
        if let Some(handshake) = self.handshake {
            write!(f, " in {handshake:.1?}")?;
        }
        match self.errno {
            Some(errno) => write!(f, " ({})", errno_text(errno)),
            None => Ok(()),
        }
    }
}
