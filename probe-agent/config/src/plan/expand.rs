//! From lists and groups to single targets.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{LeftOut, PlannedTarget, shared::Shared};
use crate::{
    discovery::{DiscoveredTarget, TargetList},
    load::{Loaded, Section, SourceKey},
    schema::{FoundPolicy, Labels, Policy},
    target_names::names,
    values::TargetAddress,
};

/// The lists in force, by the source that they come from.
pub type Discovered = HashMap<SourceKey, Vec<Arc<TargetList>>>;

/// Collects targets.
struct Expansion {
    targets: Vec<PlannedTarget>,
    /// Names and labels so far.
    seen: HashSet<(Arc<str>, Arc<Labels>)>,
    labels: Shared<Labels>,
    policies: Shared<Policy>,
    left_out: LeftOut,
    most: usize,
}

/// What the targets of a list have in common.
struct Common<'a> {
    name: Option<&'a str>,
    labels: &'a Arc<Labels>,
    ports: Option<&'a [u16]>,
    policy: &'a Arc<Policy>,
}

pub(super) fn expand(loaded: &Loaded, discovered: &Discovered) -> (Vec<PlannedTarget>, LeftOut) {
    let most = loaded.agent().limits.targets.map_or(usize::MAX, |most| most.value.get() as usize);
    let mut all = Expansion {
        targets: Vec::new(),
        seen: HashSet::new(),
        labels: Shared::new(),
        policies: Shared::new(),
        left_out: LeftOut::default(),
        most,
    };
    loaded.sections().for_each(|section| all.add_written(section));
    // What is written comes first: where a name is taken, the discovered target is left out.
    loaded.sections().for_each(|section| all.add_discovered(section, discovered));
    (all.targets, all.left_out)
}

fn ports(found: &FoundPolicy) -> Option<&[u16]> {
    found.ports.as_ref().map(|ports| ports.value.ports())
}

impl Expansion {
    fn add_written(&mut self, section: Section<'_>) {
        let shared = section.policy(None);
        let policy = self.policies.share(shared.policy());
        let labels = section.labels();
        let shared_labels = self.labels.share(labels.clone());
        for target in section.targets() {
            let own = (!target.settings.is_empty()).then(|| section.policy(Some(target.settings)));
            let own_policy = own.as_ref().map(|found| self.policies.share(found.policy()));
            let own_labels = (!target.own.labels.is_empty())
                .then(|| self.labels.share(target.own.labels.over(&labels)));
            let common = Common {
                name: target.own.name.as_ref().map(|name| name.value.as_str()),
                labels: own_labels.as_ref().unwrap_or(&shared_labels),
                ports: ports(own.as_ref().unwrap_or(&shared)),
                policy: own_policy.as_ref().unwrap_or(&policy),
            };
            self.add(&target.own.address.value, &common);
        }
    }

    fn add_discovered(&mut self, section: Section<'_>, discovered: &Discovered) {
        let found = section.policy(None);
        let policy = self.policies.share(found.policy());
        let labels = section.labels();
        for (source, source_labels) in section.sources() {
            let common = source_labels.over(&labels);
            for list in discovered.get(&source).into_iter().flatten() {
                // The targets of a group of the list share their labels in memory: this is looked up once for each
                // group.
                let mut last: Option<(&Arc<Labels>, Arc<Labels>)> = None;
                for DiscoveredTarget { address, labels } in &list.targets {
                    let all = match &last {
                        Some((of, all)) if Arc::ptr_eq(of, labels) => Arc::clone(all),
                        _ => self.labels.share(labels.over(&common)),
                    };
                    let ports = ports(&found);
                    let common = Common { name: None, labels: &all, ports, policy: &policy };
                    self.add(address, &common);
                    last = Some((labels, all));
                }
            }
        }
    }

    /// Adds the targets of an address, one for each of its ports.
    fn add(&mut self, address: &TargetAddress, common: &Common<'_>) {
        let path = &common.policy.path;
        if address.host().needs_zone() && path.interface.is_none() {
            self.left_out.without_interface += 1;
            return;
        }
        if let (Some(is_ipv4), Some(source)) = (address.host().is_ipv4(), path.source)
            && is_ipv4 != source.get().to_canonical().is_ipv4()
        {
            self.left_out.other_family += 1;
            return;
        }
        let names = names(common.name, address, common.ports);
        self.left_out.without_port += usize::from(names.is_empty());
        for (name, port) in names {
            let name: Arc<str> = name.into();
            if self.seen.contains(&(Arc::clone(&name), Arc::clone(common.labels))) {
                self.left_out.duplicates += 1;
                continue;
            }
            if self.targets.len() >= self.most {
                self.left_out.over_limit += 1;
                continue;
            }
            self.seen.insert((Arc::clone(&name), Arc::clone(common.labels)));
            self.targets.push(PlannedTarget {
                name,
                host: address.host().clone(),
                port,
                labels: Arc::clone(common.labels),
                policy: Arc::clone(common.policy),
            });
        }
    }
}
