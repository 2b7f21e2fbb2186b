//! Changes of what is probed: another plan, or other addresses of a name. What stays keeps its id, its schedule, its
//! slots and its state.

use std::{mem, time::Duration};

use config::{
    plan::{Diff, Plan, PlannedProbe, diff},
    target_spec::Host,
};
use engine::{live::Command, pacing::Pacing};
use model::target::TargetId;

use super::{Fleet, id, label};
use crate::{
    group::Group,
    names::Answer,
    profile::{Profile, TooManyProfiles, profiles},
    tracked::{Place, Tracked},
};

/// What a new plan has changed, as numbers of probes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) added: usize,
    pub(crate) removed: usize,
    pub(crate) changed: usize,
    /// Labels that cannot be used.
    pub(crate) problems: Vec<String>,
}

impl Fleet {
    /// Probes another plan from now on.
    ///
    /// # Errors
    /// It needs too many groups; nothing is changed then.
    pub(crate) fn apply(&mut self, plan: Plan) -> Result<Changes, TooManyProfiles> {
        let needed = profiles(plan.probes.iter().map(|probe| &*probe.policy))?;
        let Diff { added, removed, changed, unchanged } = diff(&self.probes, &plan.probes);
        let mut changes = Changes {
            added: added.len(),
            removed: removed.len(),
            changed: changed.len(),
            problems: Vec::new(),
        };
        let now = std::time::Instant::now();
        for profile in needed {
            self.groups
                .entry(profile)
                .or_insert_with_key(|profile| Group::new(profile.clone(), now));
        }
        let mut old = mem::take(&mut self.addresses);
        let mut take = |index: usize| old.get_mut(index).map(mem::take).unwrap_or_default();
        let mut addresses: Vec<Vec<TargetId>> = Vec::new();
        addresses.resize_with(plan.probes.len(), Vec::new);
        for target in removed.into_iter().flat_map(&mut take) {
            self.remove(target);
        }
        let mut kept: Vec<(usize, Vec<TargetId>, bool, bool)> =
            unchanged.into_iter().map(|(old, new)| (new, take(old), false, false)).collect();
        kept.extend(changed.into_iter().map(|c| (c.new, take(c.old), c.policy, c.subscribers)));
        for (new, ids, policy, subscribers) in kept {
            let (Some(probe), Some(place)) = (plan.probes.get(new), addresses.get_mut(new)) else {
                continue;
            };
            let of = |id| {
                let id = if policy { self.replace(id, probe) } else { id };
                if subscribers {
                    changes.problems.extend(self.rename(id, probe));
                }
                id
            };
            *place = ids.into_iter().map(of).collect();
        }
        self.probes = plan.probes;
        self.addresses = addresses;
        self.by_name.clear();
        for (index, probe) in self.probes.iter().enumerate() {
            if let Host::Name(name) = &probe.host {
                self.by_name.entry(name.clone()).or_default().push(index);
            }
        }
        self.answers.retain(|name, _| self.by_name.contains_key(name));
        let added: Vec<(usize, Place)> = added
            .into_iter()
            .filter_map(|index| Some((index, self.probes.get(index)?)))
            .flat_map(|(index, probe)| {
                self.places(probe).into_iter().map(move |place| (index, place))
            })
            .collect();
        changes.problems.extend(self.add_all(added));
        Ok(changes)
    }

    /// A name has been looked up.
    pub(crate) fn set_answer(&mut self, name: &str, answer: Answer) -> Vec<String> {
        let Some(probes) = self.by_name.get(name).cloned() else { return Vec::new() };
        self.answers.insert(name.to_owned(), answer);
        let mut added = Vec::new();
        for index in probes {
            let Some(probe) = self.probes.get(index) else { continue };
            let mut places = self.places(probe);
            let ids = self.addresses.get_mut(index).map(mem::take).unwrap_or_default();
            let mut kept = Vec::with_capacity(ids.len());
            for id in ids {
                let known = self.targets.get(id.0 as usize).map(|t| t.place(t.target.address));
                match places.iter().position(|place| Some(*place) == known) {
                    Some(at) => {
                        places.swap_remove(at);
                        kept.push(id);
                    }
                    None => self.remove(id),
                }
            }
            if let Some(addresses) = self.addresses.get_mut(index) {
                *addresses = kept;
            }
            added.extend(places.into_iter().map(|place| (index, place)));
        }
        self.add_all(added)
    }

    /// Adds addresses of probes. Their first probes are spread, as the probes of their intervals.
    fn add_all(&mut self, added: Vec<(usize, Place)>) -> Vec<String> {
        let pacing = Pacing { spread: true, ..Pacing::default() };
        let count = u32::try_from(added.len()).unwrap_or(u32::MAX);
        let mut problems = Vec::new();
        for (number, (index, place)) in (0..).zip(added) {
            let Some(probe) = self.probes.get(index) else { continue };
            let delay = pacing.first_delay(TargetId(number), count, probe.policy.interval);
            let tracked = Tracked::new(probe, place);
            let target = id(self.targets.vacant_key());
            problems.extend(label(&self.metrics, target, probe, &tracked));
            self.insert(tracked, delay);
            if let Some(addresses) = self.addresses.get_mut(index) {
                addresses.push(target);
            }
        }
        problems
    }

    /// Adds a target. Its worker gets it now, or when it starts.
    fn insert(&mut self, tracked: Tracked, first_delay: Duration) -> TargetId {
        let profile = Profile::of(&tracked.policy);
        let target = id(self.targets.insert(tracked));
        let group = self.groups.get_mut(&profile);
        let is_running = group.is_some_and(|group| {
            group.members += 1;
            group.is_running()
        });
        if is_running {
            self.send_add(target, first_delay);
        }
        target
    }

    /// Gives a target to its worker.
    pub(super) fn send_add(&mut self, target: TargetId, first_delay: Duration) {
        self.send(target, |tracked| Command::Add {
            target,
            address: tracked.target.address,
            unresolved: tracked.unresolved,
            policy: tracked.probe_policy(),
            first_delay,
        });
        if let Some(tracked) = self.targets.get_mut(target.0 as usize) {
            tracked.is_at_worker = true;
        }
    }

    fn remove(&mut self, target: TargetId) {
        self.metrics.remove_target(target);
        let Some(tracked) = self.targets.get_mut(target.0 as usize) else { return };
        tracked.is_removed = true;
        if let Some(group) = self.groups.get_mut(&Profile::of(&tracked.policy)) {
            group.members = group.members.saturating_sub(1);
        }
        if tracked.is_at_worker {
            self.send(target, |_| Command::Remove(target));
        } else {
            self.on_removed(target);
        }
    }

    /// A target is probed and judged in another way. Returns its id from now on: another one if another group probes
    /// it now. Its state stays.
    fn replace(&mut self, target: TargetId, probe: &PlannedProbe) -> TargetId {
        let Some(tracked) = self.targets.get_mut(target.0 as usize) else { return target };
        if Profile::of(&tracked.policy) == Profile::of(&probe.policy) {
            tracked.policy = probe.policy.clone();
            self.send(target, |tracked| Command::Replace {
                target,
                policy: tracked.probe_policy(),
            });
            return target;
        }
        let place = tracked.place(tracked.target.address);
        let moved = Tracked { health: tracked.health, ..Tracked::new(probe, place) };
        self.remove(target);
        let target = id(self.targets.vacant_key());
        // A problem with its labels was reported when it was added.
        let _ = label(&self.metrics, target, probe, &moved);
        moved.publish(&self.metrics, target, None);
        self.insert(moved, Duration::ZERO)
    }

    /// A target has another name or other labels.
    fn rename(&mut self, target: TargetId, probe: &PlannedProbe) -> Option<String> {
        let tracked = self.targets.get_mut(target.0 as usize)?;
        let renamed = Tracked::new(probe, tracked.place(tracked.target.address));
        tracked.target = renamed.target;
        label(&self.metrics, target, probe, tracked)
    }
}
