//! Which hook reports state changes.

/// Which one to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateHookChoice {
    /// `sock_ops` on the agent's cgroup where that can be used, else the tracepoint.
    #[default]
    Auto,
    /// The tracepoint `inet_sock_set_state`, which all connections of the host pass.
    Raw,
}
