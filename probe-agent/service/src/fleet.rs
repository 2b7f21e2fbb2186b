//! What is probed now: the plan, the addresses of its probes, and the groups of workers that probe them.

mod changes;
mod groups;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
};

use config::{plan::PlannedProbe, target_spec::Host};
use engine::live::{Command, SharedLimits};
use metrics::Metrics;
use model::{capability::Capability, errno::NameError, target::TargetId};
use slab::Slab;

pub(crate) use self::groups::Event;
use crate::{
    group::Group,
    names::Answer,
    profile::{LoopLimits, Profile},
    sink::SinkConfig,
    tracked::{self, Place, Tracked},
};

/// What is probed now.
pub(crate) struct Fleet {
    /// The probes of the plan, and the addresses of each.
    probes: Vec<PlannedProbe>,
    addresses: Vec<Vec<TargetId>>,
    /// The probes of each name.
    by_name: HashMap<String, Vec<usize>>,
    answers: HashMap<String, Answer>,
    targets: Slab<Tracked>,
    groups: BTreeMap<Profile, Group>,
    limits: LoopLimits,
    rates: SharedLimits,
    metrics: Metrics,
    sinks: SinkConfig,
    is_stopping: bool,
}

impl Fleet {
    pub(crate) fn new(
        limits: LoopLimits,
        rates: SharedLimits,
        metrics: Metrics,
        sinks: SinkConfig,
    ) -> Self {
        Self {
            probes: Vec::new(),
            addresses: Vec::new(),
            by_name: HashMap::new(),
            answers: HashMap::new(),
            targets: Slab::new(),
            groups: BTreeMap::new(),
            limits,
            rates,
            metrics,
            sinks,
            is_stopping: false,
        }
    }

    /// The names to look up.
    pub(crate) fn names(&self) -> HashSet<String> {
        self.by_name.keys().cloned().collect()
    }

    /// A target that a worker has reported about, also if it was removed meanwhile.
    pub(crate) fn reported(&mut self, target: TargetId) -> Option<&mut Tracked> {
        self.targets.get_mut(target.0 as usize)
    }

    /// All that are probed.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (TargetId, &Tracked)> {
        let live = self.targets.iter().filter(|(_, tracked)| !tracked.is_removed);
        live.map(|(index, tracked)| (id(index), tracked))
    }

    /// Where the probes of a planned probe go.
    fn places(&self, probe: &PlannedProbe) -> Vec<Place> {
        let Host::Name(name) = &probe.host else {
            let place = |address| (address, None);
            // An interface that this host does not have.
            let nowhere = (tracked::unspecified(probe.port), Some(libc::ENODEV));
            return vec![tracked::literal(&probe.host, probe.port).map_or(nowhere, place)];
        };
        let nowhere = |reason| vec![(tracked::unspecified(probe.port), Some(reason))];
        match self.answers.get(name) {
            // It is being looked up.
            None => Vec::new(),
            Some(Err(reason)) => nowhere(*reason),
            Some(Ok(ips)) if ips.is_empty() => nowhere(NameError::NoAnswer.errno()),
            Some(Ok(ips)) => {
                let mut seen = HashSet::new();
                let new = ips.iter().filter(|ip| seen.insert(**ip));
                new.map(|ip| (SocketAddr::new(*ip, probe.port), None)).collect()
            }
        }
    }

    /// Sends a target's worker a command.
    fn send(&mut self, target: TargetId, command: impl FnOnce(&Tracked) -> Command) {
        let Some(tracked) = self.targets.get(target.0 as usize) else { return };
        if let Some(group) = self.groups.get_mut(&Profile::of(&tracked.policy)) {
            group.send(command(tracked));
        }
    }

    /// The state of a target has begun to change, or does so no more: its interval may be another one.
    pub(crate) fn set_interval(&mut self, target: TargetId) {
        self.send(target, |tracked| Command::SetInterval {
            target,
            interval: tracked.probe_policy().interval,
        });
    }

    /// A worker has reported a removed target: its id may be used again.
    pub(crate) fn on_removed(&mut self, target: TargetId) {
        let index = target.0 as usize;
        if self.targets.get(index).is_some_and(|tracked| tracked.is_removed) {
            self.targets.remove(index);
        }
        if self.targets.is_empty() {
            self.targets.shrink_to_fit();
        }
    }

    /// The name of each hook, and whether every group has it.
    pub(crate) fn capabilities(&self) -> Vec<(&'static str, bool)> {
        let mut all = BTreeMap::new();
        for tracer in self.groups.values().filter_map(Group::tracer) {
            let capabilities = tracer.capabilities();
            for Capability { name, .. } in capabilities.iter() {
                *all.entry(*name).or_insert(true) &= capabilities.has(name);
            }
        }
        all.into_iter().collect()
    }
}

fn id(index: usize) -> TargetId {
    TargetId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// The labels of a target go into the metrics. Returns what is wrong with them.
fn label(
    metrics: &Metrics,
    target: TargetId,
    probe: &PlannedProbe,
    tracked: &Tracked,
) -> Option<String> {
    let (labels, problem) = tracked::labels(probe, &tracked.target);
    if let Some(labels) = labels {
        metrics.add_target(target, labels);
    }
    let name = &tracked.target.name;
    problem.map(|problem| format!("{name}: without labels in the metrics: {problem}"))
}
