//! Whether this host has enough source ports and descriptors for a plan.

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{plan::PlannedProbe, schema::NetworkPath};

/// What this host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Source ports, where the configuration does not choose them.
    pub ports: u32,
    /// File descriptors for the sockets of probes.
    pub descriptors: u32,
}

/// What a plan needs at most: as much as if no target answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Sockets, and with them descriptors and source ports.
    pub sockets: u64,
    /// Probes started in a second.
    pub rate: u64,
}

/// What runs short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// Source ports of this host.
    HostPorts,
    /// Source ports that the configuration chooses.
    ChosenPorts,
    /// File descriptors.
    Descriptors,
}

/// The plan does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// The probes that share what runs short.
    pub probes: u64,
    /// How many of them fit.
    pub fit: u64,
    /// The sockets that they need.
    pub needed: u64,
    /// The sockets that there can be.
    pub available: u64,
    /// What runs short.
    pub shortage: Shortage,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { probes, fit, needed, available, shortage } = self;
        let (what, remedy) = match shortage {
            Shortage::HostPorts => ("source ports", "widen net.ipv4.ip_local_port_range"),
            Shortage::ChosenPorts => ("source ports", "widen source_ports"),
            Shortage::Descriptors => ("open files", "raise the limit (LimitNOFILE, ulimit -n)"),
        };
        write!(
            f,
            "{probes} targets need {needed} {what} if none of them answers, but there are {available}: {fit} \
             targets fit; {remedy}, or lengthen the interval"
        )
    }
}

impl std::error::Error for TooMany {}

/// The sockets that a probe needs, in thousandths: it is in flight for its timeout, again after each interval. What
/// is left of a source port's settle window does not count: other targets can use it meanwhile.
fn sockets(probe: &PlannedProbe) -> u64 {
    let policy = &probe.policy;
    let shortest = policy.interval.min(policy.fast_interval).max(Duration::from_millis(1));
    let thousandths = policy.timeout.as_nanos().saturating_mul(1_000) / shortest.as_nanos().max(1);
    u64::try_from(thousandths).unwrap_or(u64::MAX).max(1)
}

/// Whole sockets for a sum of thousandths.
const fn whole(thousandths: u64) -> u64 {
    thousandths.div_ceil(1_000)
}

/// What a plan needs.
#[must_use]
pub fn needs(probes: &[PlannedProbe]) -> Needs {
    let mut needs = Needs::default();
    let (mut thousandths, mut rate) = (0_u64, 0_u64);
    for probe in probes {
        thousandths = thousandths.saturating_add(sockets(probe));
        let nanos = probe.policy.interval.as_nanos().max(1);
        rate = rate.saturating_add(u64::try_from(1_000_000_000_000 / nanos).unwrap_or(u64::MAX));
    }
    needs.sockets = whole(thousandths);
    needs.rate = rate.div_ceil(1_000);
    needs
}

/// Checks that a plan fits, even if no target answers. Ports are counted by where probes come from: another source
/// address or network namespace has ports of its own.
///
/// # Errors
/// What runs short, and how many targets fit.
pub fn check(probes: &[PlannedProbe], room: Room) -> Result<Needs, TooMany> {
    let needs = needs(probes);
    let total = needs.sockets;
    if total > u64::from(room.descriptors) {
        let shortage = Shortage::Descriptors;
        return Err(too_many(probes.len() as u64, total, room.descriptors, shortage));
    }
    let mut origins: BTreeMap<Origin<'_>, (u64, u64)> = BTreeMap::new();
    for probe in probes {
        let (count, thousandths) = origins.entry(Origin::of(&probe.policy.path)).or_default();
        *count += 1;
        *thousandths = thousandths.saturating_add(sockets(probe));
    }
    for (Origin { ports, .. }, (count, thousandths)) in origins {
        let (available, shortage) = match ports {
            Some(ports) => (ports.count(), Shortage::ChosenPorts),
            None => (room.ports, Shortage::HostPorts),
        };
        let needed = whole(thousandths);
        if needed > u64::from(available) {
            return Err(too_many(count, needed, available, shortage));
        }
    }
    Ok(needs)
}

/// Where probes come from that share their source ports.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Origin<'a> {
    netns: Option<&'a std::path::Path>,
    source: Option<crate::values::SourceAddress>,
    ports: Option<crate::values::PortRange>,
}

impl<'a> Origin<'a> {
    fn of(path: &'a NetworkPath) -> Self {
        Self { netns: path.netns.as_deref(), source: path.source, ports: path.source_ports }
    }
}

fn too_many(probes: u64, needed: u64, available: u32, shortage: Shortage) -> TooMany {
    let available = u64::from(available);
    let fit = u128::from(probes) * u128::from(available) / u128::from(needed.max(1));
    TooMany { probes, fit: u64::try_from(fit).unwrap_or(u64::MAX), needed, available, shortage }
}

#[cfg(test)]
mod tests;
