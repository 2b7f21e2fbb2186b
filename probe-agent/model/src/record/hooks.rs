//! Which hooks were in effect while a probe ran.

/// Whether the ACK guard was in effect while a probe ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HalfOpen {
    /// It was: no bare ACK of the probe's socket could leave this host.
    Enforced,
    /// It was not: only the prompt close kept the handshake half-open.
    #[default]
    NotEnforced,
}

impl HalfOpen {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::NotEnforced => "not_enforced",
        }
    }
}

/// Which hook reported a probe's state changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StateHook {
    /// The tracepoint, which runs for every socket of the host.
    #[default]
    Tracepoint,
    /// The program on the agent's cgroup, which runs for the agent's sockets only.
    SockOps,
}

impl StateHook {
    /// The kernel's name of the hook.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tracepoint => "inet_sock_set_state",
            Self::SockOps => "sock_ops",
        }
    }
}

/// Which hooks report the RSTs that the kernel sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RstHooks {
    /// The tracepoint `tcp_send_reset`.
    #[default]
    Tracepoint,
    /// The functions that send RSTs, on kernels whose tracepoint cannot be used for all of them.
    Functions,
}
