//! From a configuration and the lists that were discovered to the probes to make. Names are looked up elsewhere.

mod diff;
mod expand;
mod merge;
mod shared;

use std::sync::Arc;

use model::human::counted;

pub use self::{
    diff::{Changed, Diff, diff},
    expand::Discovered,
};
use crate::{
    load::Loaded,
    schema::{Labels, Policy},
    target_spec::Host,
};

/// A target, before identical probes are merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTarget {
    /// Its name in reports, metrics and spans.
    pub name: Arc<str>,
    /// The host, a name or an address.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// Its labels. No two targets have the same name and labels.
    pub labels: Arc<Labels>,
    /// How to probe and judge it.
    pub policy: Arc<Policy>,
}

/// A probe, and the targets whose probe it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedProbe {
    /// The host, a name or an address.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// How to probe and judge.
    pub policy: Arc<Policy>,
    /// At least one; in the order of the configuration.
    pub subscribers: Vec<Subscriber>,
}

/// Who receives the results of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subscriber {
    /// The name of the target.
    pub name: Arc<str>,
    /// The labels of the target.
    pub labels: Arc<Labels>,
}

/// What to probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The probes. No two have the same address and an equal policy.
    pub probes: Vec<PlannedProbe>,
    /// The number of targets; each is a subscriber of one probe.
    pub targets: usize,
    /// What was left out.
    pub left_out: LeftOut,
}

/// Discovered targets that are not probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Another target has the same name and labels.
    pub duplicates: usize,
    /// They have no port, and their group has none for them.
    pub without_port: usize,
    /// They are link-local, without a network interface.
    pub without_interface: usize,
    /// They are of another address family than the source address.
    pub other_family: usize,
    /// There would be more targets than are allowed.
    pub over_limit: usize,
}

impl LeftOut {
    /// What was left out, and the remedy; one line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Self { duplicates, without_port, without_interface, other_family, over_limit } = *self;
        [
            (duplicates, "has the name and labels of another target; give its list a label"),
            (without_port, "has no port; write HOST:PORT in its list, or set ports"),
            (without_interface, "has a link-local address without an interface; set interface"),
            (other_family, "is of another address family than source; omit source"),
            (over_limit, "is more than agent.limits.targets allows; raise it"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| {
            let targets = counted(count as u64, "discovered target");
            format!("{targets} left out: each {why}")
        })
        .collect()
    }
}

/// Plans the probes.
#[must_use]
pub fn plan(loaded: &Loaded, discovered: &Discovered) -> Plan {
    let (targets, left_out) = targets(loaded, discovered);
    Plan { targets: targets.len(), probes: merge::merge(targets), left_out }
}

/// All targets, one by one: those of the configuration, then those that were discovered.
#[must_use]
pub fn targets(loaded: &Loaded, discovered: &Discovered) -> (Vec<PlannedTarget>, LeftOut) {
    expand::expand(loaded, discovered)
}

#[cfg(test)]
mod tests;
