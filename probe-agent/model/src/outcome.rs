//! How a probe ended: all that a health checker needs.

/// How a probe ended. The names are a contract: JSON, span attributes and metrics use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// The target answered the SYN with a SYN-ACK.
    Alive,
    /// The target answered the SYN with a RST (RFC 9293, section 3.10.7.3): `ECONNREFUSED` without an ICMP
    /// error.
    Refused,
    /// No answer within the timeout.
    TimedOut,
    /// The network reported that the target cannot be reached (ICMP, no route, no neighbour).
    Unreachable,
    /// This host could not run the probe: no free port, address in use, permission, ...
    LocalError,
}

impl Outcome {
    /// All outcomes, in the order in which they are printed.
    pub const ALL: [Self; 5] =
        [Self::Alive, Self::Refused, Self::TimedOut, Self::Unreachable, Self::LocalError];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::LocalError => "local_error",
        }
    }

    /// The outcome for an `errno` from `connect()` or `SO_ERROR`.
    #[must_use]
    pub fn from_errno(errno: i32) -> Self {
        match errno {
            0 => Self::Alive,
            // A RST in SYN_SENT gives ECONNREFUSED; in later states it gives ECONNRESET or EPIPE
            // (tcp_reset).
            libc::ECONNREFUSED | libc::ECONNRESET | libc::EPIPE => Self::Refused,
            libc::ETIMEDOUT => Self::TimedOut,
            // ICMP codes without an errno of their own become EPROTO or ENOPROTOOPT
            // (icmp_err_convert). IPv6 "administratively prohibited" becomes EACCES.
            libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::ENOPROTOOPT
            | libc::EPROTO
            | libc::ENETDOWN
            | libc::EOPNOTSUPP
            | libc::EACCES => Self::Unreachable,
            _ => Self::LocalError,
        }
    }
}

/// The `error.type` attribute of a failed probe (OpenTelemetry, registry of `error.*`).
///
/// `errno` is 0 if the probe timed out by the agent's own clock.
#[must_use]
pub fn error_type(outcome: Outcome, errno: i32) -> Option<&'static str> {
    Some(match (outcome, errno) {
        (Outcome::Alive, _) => return None,
        (Outcome::Refused, _) => "connection_refused",
        (Outcome::TimedOut, _) => "timed_out",
        (_, libc::ENETUNREACH | libc::ENETDOWN | libc::ENONET) => "network_unreachable",
        (_, libc::EHOSTUNREACH | libc::EHOSTDOWN) => "host_unreachable",
        (_, libc::EACCES | libc::EPERM) => "access_denied",
        (_, libc::EADDRINUSE) => "address_in_use",
        (_, libc::EADDRNOTAVAIL) => "address_not_available",
        _ => "_OTHER",
    })
}
