//! One address that is probed, and its state.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6},
    sync::Arc,
    time::Duration,
};

use config::{
    health::{Health, ProbeResult, StateChange, Status},
    plan::PlannedProbe,
    schema::Policy,
    target_spec::Host,
};
use engine::{live::ProbePolicy, names::Unresolved};
use explain::Judged;
use metrics::{LabelError, Metrics, TargetLabels};
use model::{
    target::{Target, TargetId},
    verdict::Verdict,
};

/// One address that is probed.
#[derive(Debug)]
pub(crate) struct Tracked {
    pub(crate) target: Arc<Target>,
    /// Why it has no address, if it has none.
    pub(crate) unresolved: Option<Unresolved>,
    pub(crate) policy: Arc<Policy>,
    pub(crate) health: Health,
    /// A worker has it, so that its id may be used again only when the worker has reported that.
    pub(crate) is_at_worker: bool,
    pub(crate) is_removed: bool,
}

/// Where a probe goes; without an address, why.
pub(crate) type Place = (SocketAddr, Option<Unresolved>);

impl Tracked {
    /// An address of a planned probe.
    pub(crate) fn new(probe: &PlannedProbe, (address, unresolved): Place) -> Self {
        Self {
            target: Arc::new(Target { address, ..named(probe) }),
            unresolved,
            policy: Arc::clone(&probe.policy),
            health: Health::default(),
            is_at_worker: false,
            is_removed: false,
        }
    }

    pub(crate) const fn place(&self, address: SocketAddr) -> Place {
        (address, self.unresolved)
    }

    /// How its worker probes it now: more often while its state is changing.
    pub(crate) fn probe_policy(&self) -> ProbePolicy {
        ProbePolicy {
            interval: self.health.interval(&self.policy),
            timeout: self.policy.timeout,
            expect: self.policy.expect,
        }
    }

    /// Writes its state into the metrics. A change is counted by the verdict behind it.
    pub(crate) fn publish(&self, metrics: &Metrics, target: TargetId, verdict: Option<Verdict>) {
        let status = match self.health.status() {
            Status::Unknown => metrics::Health::Unknown,
            Status::Up => metrics::Health::Up,
            Status::Down => metrics::Health::Down,
        };
        if let Some(since) = self.health.since() {
            metrics.set_health(target, status, since, verdict);
        }
    }

    /// Takes the result of a probe that ended at a time since 1970. Returns the change of state that it makes.
    pub(crate) fn observe(&mut self, judged: &Judged, at: Duration) -> Option<StateChange> {
        let first = judged.verdicts.first()?;
        let outcome = judged.timeline.outcome();
        let result = ProbeResult { at, outcome, verdict: first.verdict, proof: first.proof };
        self.health.observe(result, &self.policy)
    }
}

/// The target of a probe, without an address. A probe that several targets share has the name of the first.
fn named(probe: &PlannedProbe) -> Target {
    let host = match &probe.host {
        Host::Name(name) => name.clone(),
        Host::Address { ip, .. } => ip.to_string(),
    };
    let name =
        probe.subscribers.first().map_or_else(|| host.clone(), |first| first.name.to_string());
    Target { name, host, address: unspecified(probe.port) }
}

/// The labels of its series. With an error, only its name and address.
pub(crate) fn labels(
    probe: &PlannedProbe,
    target: &Target,
) -> (Option<TargetLabels>, Option<LabelError>) {
    let address = target.address_text();
    let own = probe.subscribers.first().map(|first| Arc::clone(&first.labels)).unwrap_or_default();
    match TargetLabels::new(&target.name, &address, own.iter()) {
        Ok(labels) => (Some(labels), None),
        Err(error) => (TargetLabels::new(&target.name, &address, []).ok(), Some(error)),
    }
}

/// The address of a literal; `None` for a name, or an interface that this host does not have.
pub(crate) fn literal(host: &Host, port: u16) -> Option<SocketAddr> {
    match host {
        Host::Name(_) => None,
        Host::Address { ip: IpAddr::V6(ip), zone: Some(zone) } => {
            let index = zone.parse().ok();
            let index = index.or_else(|| nix::net::if_::if_nametoindex(zone.as_str()).ok())?;
            Some(SocketAddrV6::new(*ip, port, 0, index).into())
        }
        Host::Address { ip, .. } => Some(SocketAddr::new(*ip, port)),
    }
}

/// Stands for no address.
pub(crate) fn unspecified(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)
}
