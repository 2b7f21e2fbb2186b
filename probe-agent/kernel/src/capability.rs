//! The capabilities that loading finds out by trying: their names, what each costs, and what to do.

use model::capability::{Capabilities, Capability, State};
use probe_agent_common::{HOOKS, Hook, HookKind, RST_TRACEPOINT};

use crate::error::TraceError;

/// A feature of the host that is no hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// The name of its capability.
    pub name: &'static str,
    cost: &'static str,
    remedy: Option<&'static str>,
}

/// The privileges that `bpf()` asks for.
pub const PRIVILEGES: Feature = Feature {
    name: "privileges",
    cost: "eBPF programs are not loaded, and what they would observe is not seen",
    remedy: None,
};

/// `/sys/kernel/btf/vmlinux`.
pub const KERNEL_BTF: Feature = Feature {
    name: "kernel BTF",
    cost: "RSTs and retransmits are not traced, and verdicts are inferred at most",
    remedy: Some("use a kernel with CONFIG_DEBUG_INFO_BTF"),
};

/// What tells the sockets of the agent's network namespace from others.
pub const NETNS_COOKIE: Feature = Feature {
    name: "network namespace cookie",
    cost: "the same addresses and ports in another network namespace could be taken for the agent's",
    remedy: Some("use Linux 5.14 or later"),
};

/// A cgroup v2 that the agent can join.
pub const CGROUP: Feature = Feature {
    name: "cgroup",
    cost: "the ACK guard cannot be attached: where a close is late or a SYN-ACK comes twice, the \
           target's application may accept a dead connection",
    remedy: None,
};

/// The program that keeps a handshake half-open.
pub const ACK_GUARD: Feature = Feature {
    name: "ACK guard",
    cost: "where a close is late or a SYN-ACK comes twice, the target's application may accept a dead \
           connection",
    remedy: None,
};

/// Whichever program reports state changes.
pub const STATE_HOOK: Feature = Feature {
    name: "state hook",
    cost: "no probe is traced: outcomes are inferred from TCP_INFO and timing",
    remedy: None,
};

/// The headers of a packet that no socket received.
pub const PACKET_HEADERS: Feature = Feature {
    name: "packet headers",
    cost: "a RST that was lost and recovered by a SYN-ACK retransmit is not seen, and no packet that this \
           host drops",
    remedy: Some("boot without lockdown=confidentiality (integrity is no obstacle)"),
};

/// The kernel's count of skipped programs.
pub const RECURSION_MISSES: Feature = Feature {
    name: "recursion-miss counts",
    cost: "events that the kernel's recursion guard skipped are not counted as lost",
    remedy: Some("use Linux 5.12 or later"),
};

/// The comparison of the RSTs seen with those that the kernel counted.
pub const RST_ACCOUNTING: Feature = Feature {
    name: "RST accounting",
    cost: "RSTs that the hooks miss are not counted as lost",
    remedy: None,
};

/// All of them, each after those that it needs.
const FEATURES: [Feature; 9] = [
    PRIVILEGES,
    KERNEL_BTF,
    NETNS_COOKIE,
    CGROUP,
    ACK_GUARD,
    STATE_HOOK,
    PACKET_HEADERS,
    RECURSION_MISSES,
    RST_ACCOUNTING,
];

impl Feature {
    /// Its capability in this state.
    pub(crate) fn is(&self, state: State) -> Capability {
        let helps = matches!(state, State::Unavailable(_) | State::Degraded(_));
        let remedy = self.remedy.filter(|_| helps).map(Into::into);
        Capability { name: self.name, state, cost: self.cost, remedy }
    }

    /// Its capability where loading or attaching came to this.
    pub(crate) fn after<T>(&self, result: &Result<T, TraceError>) -> Capability {
        after(self.name, self.cost, self.remedy, result.as_ref().err())
    }
}

/// The state hook where the tracepoint takes the place of `sock_ops`.
pub(crate) fn tracepoint_for_sock_ops(error: &TraceError) -> Capability {
    Capability {
        cost: "every TCP connection of this host passes the agent's tracepoint inet_sock_set_state",
        ..STATE_HOOK.is(State::Degraded(error.reason().to_owned()))
    }
}

/// The capability of a hook whose program could be attached, or not.
pub(crate) fn of_hook(hook: &Hook, result: &Result<(), TraceError>) -> Capability {
    let remedy = match hook.kind {
        HookKind::Function => Some("use a kernel with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"),
        HookKind::Tracepoint => None,
    };
    after(hook.program, hook.cost, remedy, result.as_ref().err())
}

/// The capabilities of a host where loading failed as a whole: there are none, for this one reason.
#[must_use]
pub fn none(error: &TraceError) -> Capabilities {
    let features = FEATURES.map(|f| after(f.name, f.cost, f.remedy, Some(error)));
    let hooks = RST_TRACEPOINT.iter().chain(&HOOKS);
    let hooks = hooks.map(|hook| after(hook.program, hook.cost, None, Some(error)));
    features.into_iter().chain(hooks).collect()
}

fn after(
    name: &'static str,
    cost: &'static str,
    remedy: Option<&'static str>,
    error: Option<&TraceError>,
) -> Capability {
    let Some(error) = error else {
        return Capability { name, state: State::Available, cost, remedy: None };
    };
    let remedy = error.remedy().map(|own| own.to_owned().into()).or(remedy.map(Into::into));
    Capability { name, state: State::Unavailable(error.reason().to_owned()), cost, remedy }
}
