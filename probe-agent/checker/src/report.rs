//! What a check found.

use model::errno::errno_text;
use std::{fmt, net::SocketAddr, time::Duration};

use engine::requests::Answer;
use model::{
    flow,
    outcome::Outcome,
    record::{HalfOpen, ProbeId},
};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// What was checked.
    pub address: SocketAddr,
    /// How it went.
    pub outcome: Outcome,
    /// From SYN to SYN-ACK; `None` unless alive.
    pub handshake: Option<Duration>,
    /// The handshake was timed by the kernel's own events. If not, the wake-up of the worker is in it.
    pub timed_by_kernel: bool,
    /// From the call to the SYN: the queue, and the worker's wake-up.
    pub waited: Duration,
    /// Source port of the probe; `None` if it never had a socket.
    pub local_port: Option<u16>,
    /// The ACK guard stood, so that this check cannot have completed a handshake whatever came. If
    /// not, it has kept half-open unless the SYN-ACK came twice or the host stalled for 200 ms.
    pub half_open_enforced: bool,
    /// The `errno` that a failed probe ended with; `None` for a timeout of the checker's own clock.
    pub errno: Option<i32>,
    /// A first probe was refused by what an earlier check had left at the server, and a second one
    /// from another port found the backend alive.
    pub falsely_refused: bool,
    /// Names the probe: its [`ExplainedProbe`](super::ExplainedProbe) comes later under the same name
    /// (`timeline.probe.id`).
    pub probe: ProbeId,
}

impl Report {
    pub(super) fn new(address: SocketAddr, asked_at: u64, answer: &Answer) -> Self {
        let probe = &answer.probe;
        Self {
            address,
            outcome: answer.outcome,
            handshake: probe.handshake_ns().map(Duration::from_nanos),
            timed_by_kernel: probe.kernel.is_some_and(|k| k.established_at != 0),
            waited: Duration::from_nanos(probe.syn_at().saturating_sub(asked_at)),
            local_port: Some(flow::local(&probe.flow).port()).filter(|port| *port != 0),
            half_open_enforced: probe.half_open == HalfOpen::Enforced,
            errno: Some(probe.errno).filter(|errno| *errno != 0),
            falsely_refused: answer.falsely_refused,
            probe: probe.id,
        }
    }

    /// Whether the backend answered with a SYN-ACK.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.outcome == Outcome::Alive
    }
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
