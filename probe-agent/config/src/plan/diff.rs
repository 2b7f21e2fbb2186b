//! What a reload changes. Everything else keeps its schedule, its source ports and its state.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::Arc,
};

use super::PlannedProbe;
use crate::{schema::NetworkPath, target_spec::Host};

/// What a reload changes, as numbers of probes in the old and the new plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// New probes without an old one.
    pub added: Vec<usize>,
    /// Old probes without a new one.
    pub removed: Vec<usize>,
    /// Probes that send the same packets, but at other times, or are judged otherwise, or have other
    /// subscribers. The state of the target stays.
    pub changed: Vec<Changed>,
    /// Probes that stay as they are: old and new number.
    pub unchanged: Vec<(usize, usize)>,
}

/// A probe that stays, with changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its number in the old plan.
    pub old: usize,
    /// Its number in the new plan.
    pub new: usize,
    /// Whether its policy has changed.
    pub policy: bool,
    /// Whether its subscribers have.
    pub subscribers: bool,
}

/// Compares two plans. Takes time in proportion to their sizes.
#[must_use]
pub fn diff(old: &[PlannedProbe], new: &[PlannedProbe]) -> Diff {
    Matching::new(old, new).run()
}

/// What a probe sends, and from where.
type Identity<'a> = (&'a Host, u16, &'a NetworkPath);

fn identity(probe: &PlannedProbe) -> Identity<'_> {
    (&probe.host, probe.port, &probe.policy.path)
}

struct Matching<'a> {
    old: &'a [PlannedProbe],
    new: &'a [PlannedProbe],
    pairs: Vec<(usize, usize)>,
    old_rest: Vec<usize>,
    new_rest: Vec<usize>,
    /// Probes that were looked at, in tests of the costs.
    steps: usize,
}

impl<'a> Matching<'a> {
    fn new(old: &'a [PlannedProbe], new: &'a [PlannedProbe]) -> Self {
        let (old_rest, new_rest) = ((0..old.len()).collect(), (0..new.len()).collect());
        Self { old, new, pairs: Vec::new(), old_rest, new_rest, steps: 0 }
    }

    fn run(mut self) -> Diff {
        self.match_all();
        let mut diff = Diff { added: self.new_rest, removed: self.old_rest, ..Diff::default() };
        self.pairs.sort_unstable_by_key(|(_, new)| *new);
        for (old, new) in self.pairs {
            let (Some(a), Some(b)) = (self.old.get(old), self.new.get(new)) else { continue };
            let (policy, subscribers) = (a.policy != b.policy, a.subscribers != b.subscribers);
            if policy || subscribers {
                diff.changed.push(Changed { old, new, policy, subscribers });
            } else {
                diff.unchanged.push((old, new));
            }
        }
        diff
    }

    /// One address can have several probes with different policies. The surest match comes first: the same policy,
    /// then the same subscriber, then the same packets.
    fn match_all(&mut self) {
        self.pair(|probe| Some((identity(probe), Arc::clone(&probe.policy))));
        self.pair(|probe| Some((identity(probe), probe.subscribers.first()?)));
        self.pair(|probe| Some(identity(probe)));
    }

    /// Pairs what is left, by a key that both plans have. Several with one key are paired in their order.
    fn pair<K: Hash + Eq>(&mut self, key: impl Fn(&'a PlannedProbe) -> Option<K>) {
        let mut waiting: HashMap<K, VecDeque<usize>> = HashMap::with_capacity(self.old_rest.len());
        for index in &self.old_rest {
            self.steps += 1;
            if let Some(key) = self.old.get(*index).and_then(&key) {
                waiting.entry(key).or_default().push_back(*index);
            }
        }
        let mut new_rest = Vec::new();
        let mut is_paired = vec![false; self.old.len()];
        for index in std::mem::take(&mut self.new_rest) {
            self.steps += 1;
            let key = self.new.get(index).and_then(&key);
            match key.and_then(|key| waiting.get_mut(&key)?.pop_front()) {
                Some(old) => {
                    self.pairs.push((old, index));
                    if let Some(is_paired) = is_paired.get_mut(old) {
                        *is_paired = true;
                    }
                }
                None => new_rest.push(index),
            }
        }
        self.new_rest = new_rest;
        self.old_rest.retain(|index| is_paired.get(*index) == Some(&false));
    }
}

#[cfg(test)]
mod tests;
