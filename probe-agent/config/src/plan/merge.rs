//! Identical probes are made once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{PlannedProbe, PlannedTarget, Subscriber};
use crate::{schema::Policy, target_spec::Host};

/// Makes one probe of all targets that have the same address and an equal policy. Equal means in every value: with
/// another threshold or fast interval, other packets would be sent.
pub(super) fn merge(targets: Vec<PlannedTarget>) -> Vec<PlannedProbe> {
    let mut probes: Vec<PlannedProbe> = Vec::with_capacity(targets.len());
    let mut places: HashMap<(Host, u16, Arc<Policy>), usize> =
        HashMap::with_capacity(targets.len());
    for PlannedTarget { name, host, port, labels, policy } in targets {
        let subscriber = Subscriber { name, labels };
        match places.entry((host, port, policy)) {
            Entry::Occupied(entry) => {
                if let Some(probe) = probes.get_mut(*entry.get()) {
                    probe.subscribers.push(subscriber);
                }
            }
            Entry::Vacant(entry) => {
                let (host, port, policy) = entry.key().clone();
                entry.insert(probes.len());
                probes.push(PlannedProbe { host, port, policy, subscribers: vec![subscriber] });
            }
        }
    }
    probes
}
