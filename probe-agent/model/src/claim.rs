//! What a verdict claims: who did what, and by which observation that is known.
//!
//! A sentence is made from claims alone, so that it cannot state what no claim carries; and a test can compare
//! each claim with the events, and with what was injected.

mod act;
mod observation;
mod reason;

use std::net::{IpAddr, SocketAddr};

pub use self::{
    act::{Act, Answers, Owner},
    observation::{Gap, Moment, Observation, SocketCount},
    reason::{Assumption, Reason},
};

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// The agent itself.
    Agent,
    /// The agent's socket, and the kernel in its network namespace.
    ThisHost,
    /// The kernel of this host, in another network namespace, such as that of a container.
    OtherNetns,
    /// The kernel of this host, in a network namespace that is not known.
    SomeNetns,
    /// Whoever sends from the target's address and port: the server, or a device that answers in its place.
    Target(SocketAddr),
    /// The host of the target, which sends ICMP.
    TargetHost(IpAddr),
    /// A client at the target's address that connects to us.
    OtherClient(SocketAddr),
    /// Somebody else who answered a SYN of ours.
    Other(SocketAddr),
    /// A host on the path that sent ICMP.
    Router(IpAddr),
    /// It is not known who.
    Unknown,
}

impl Party {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::ThisHost => "this_host",
            Self::OtherNetns => "other_netns",
            Self::SomeNetns => "some_netns",
            Self::Target(_) => "target",
            Self::TargetHost(_) => "target_host",
            Self::OtherClient(_) => "other_client",
            Self::Other(_) => "other",
            Self::Router(_) => "router",
            Self::Unknown => "unknown",
        }
    }
}

/// How a claim is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Each of these observations shows it; never empty.
    Seen(Vec<Observation>),
    /// It follows from these observations.
    Concluded {
        /// The observations; never empty.
        from: Vec<Observation>,
        /// What must be so for it to follow; `None` if nothing else can explain the observations.
        given: Option<Assumption>,
    },
}

impl Basis {
    /// A conclusion that needs nothing else.
    #[must_use]
    pub const fn concluded(from: Vec<Observation>) -> Self {
        Self::Concluded { from, given: None }
    }

    /// The observations that it rests on.
    #[must_use]
    pub fn observations(&self) -> &[Observation] {
        match self {
            Self::Seen(from) | Self::Concluded { from, .. } => from,
        }
    }

    /// What must be so for it to follow.
    #[must_use]
    pub const fn assumption(&self) -> Option<Assumption> {
        match self {
            Self::Seen(_) => None,
            Self::Concluded { given, .. } => *given,
        }
    }

    /// The stable name of its kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Seen(_) => "seen",
            Self::Concluded { .. } => "concluded",
        }
    }
}

/// One thing that a verdict claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who did it.
    pub party: Party,
    /// What they did.
    pub act: Act,
    /// How that is known.
    pub basis: Basis,
}

impl Claim {
    /// What an observation shows by itself.
    #[must_use]
    pub const fn seen(party: Party, act: Act, by: Vec<Observation>) -> Self {
        Self { party, act, basis: Basis::Seen(by) }
    }

    /// What follows from observations, without a doubt.
    #[must_use]
    pub const fn concluded(party: Party, act: Act, from: Vec<Observation>) -> Self {
        Self { party, act, basis: Basis::concluded(from) }
    }

    /// Whether something that the agent does not know could make it untrue.
    #[must_use]
    pub const fn doubt(&self) -> Option<Reason> {
        match self.basis.assumption() {
            Some(Assumption::NotShown(reason)) => Some(reason),
            Some(Assumption::SynAckAgain | Assumption::Arrival) | None => None,
        }
    }
}
