//! The groups of workers: started when they have targets, stopped when they have none, and started again after a
//! failure.

use std::{
    collections::BTreeSet,
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use engine::{event_loop::Ended, gauges::Gauges, pacing::Pacing};
use model::target::TargetId;
use otlp::RunIds;

use super::{Fleet, id};
use crate::{
    group::{Group, Means},
    profile::Profile,
    sink::WorkerSink,
};

/// What has become of a group.
#[derive(Debug)]
pub(crate) enum Event {
    /// It probes, and something is missing: one line for each.
    Degraded(Vec<String>),
    /// It cannot start, or has ended early; it is tried again.
    Failed { targets: usize, error: io::Error },
}

impl Fleet {
    /// Starts what is to start, passes commands on, and stops groups without targets.
    pub(crate) fn turn(&mut self, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        let profiles: Vec<Profile> = self.groups.keys().cloned().collect();
        for profile in profiles {
            let Some(group) = self.groups.get(&profile) else { continue };
            if group.is_idle() && !self.is_stopping && group.members > 0 {
                events.extend(self.start(&profile, now));
            } else if group.is_running() && (group.members == 0 || group.is_elsewhere()) {
                // With targets left, it is started again when it has ended.
                self.with(&profile, Group::stop);
            } else if group.is_idle() && group.members == 0 {
                self.groups.remove(&profile);
            }
            self.with(&profile, Group::flush);
        }
        events
    }

    fn with(&mut self, profile: &Profile, run: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.get_mut(profile) {
            run(group);
        }
    }

    fn start(&mut self, profile: &Profile, now: Instant) -> Option<Event> {
        let targets: Vec<TargetId> = self
            .targets()
            .filter(|(_, tracked)| Profile::of(&tracked.policy) == *profile)
            .map(|(target, _)| target)
            .collect();
        let failed = |error| Some(Event::Failed { targets: targets.len(), error });
        let ids = match RunIds::random() {
            Ok(ids) => ids,
            Err(error) => return failed(io::Error::other(error)),
        };
        let (metrics, sinks) = (&self.metrics, &self.sinks);
        let sink = || WorkerSink::new(sinks.clone(), metrics.recorder(), ids);
        let means = Means { limits: self.limits, rates: &self.rates, sink: &sink };
        let started = self.groups.get_mut(profile)?.start(&means, now)?;
        let event = match started {
            Err(error) => return failed(error),
            Ok(()) => {
                self.groups.get(profile).map(Group::missing).filter(|missing| !missing.is_empty())
            }
        };
        let event = event.map(Event::Degraded);
        let pacing = Pacing { spread: true, ..Pacing::default() };
        let count = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        for (number, target) in (0..).zip(targets) {
            let interval = self.targets.get(target.0 as usize).map(|t| t.policy.interval);
            let interval = interval.unwrap_or(Duration::ZERO);
            let delay = pacing.first_delay(TargetId(number), count, interval);
            self.send_add(target, delay);
        }
        self.with(profile, Group::flush);
        event
    }

    /// Joins the groups whose event loops have ended. `drain` takes in all that their workers have reported: after
    /// that, no report of theirs can come, and the ids of their targets are free.
    pub(crate) fn join_ended(
        &mut self,
        now: Instant,
        ended: &mut Ended,
        mut drain: impl FnMut(&mut Self),
    ) -> Vec<Event> {
        let mut events = Vec::new();
        let done = self.groups.iter().filter(|(_, group)| group.has_ended());
        let done: Vec<Profile> = done.map(|(profile, _)| profile.clone()).collect();
        for profile in done {
            let was_running = self.groups.get(&profile).is_some_and(Group::is_running);
            let Some(result) = self.groups.get_mut(&profile).and_then(|g| g.join(now)) else {
                continue;
            };
            drain(self);
            ended.unsettled += result.ended.unsettled;
            ended.events_lost += result.ended.events_lost;
            let mut targets = 0;
            let of_group: Vec<usize> = self
                .targets
                .iter()
                .filter(|(_, tracked)| Profile::of(&tracked.policy) == profile)
                .map(|(index, _)| index)
                .collect();
            for index in of_group {
                let Some(tracked) = self.targets.get_mut(index) else { continue };
                tracked.is_at_worker = false;
                targets += usize::from(!tracked.is_removed);
                self.on_removed(id(index));
            }
            if was_running {
                let error = result.failure.unwrap_or_else(|| io::Error::other("its worker ended"));
                events.push(Event::Failed { targets, error });
            }
        }
        events
    }

    /// No more probes start. What is in flight or settling is waited for.
    pub(crate) fn stop(&mut self) {
        self.is_stopping = true;
        self.groups.values_mut().for_each(Group::stop);
    }

    /// Ends what has not ended.
    pub(crate) fn stop_now(&self) {
        self.groups.values().for_each(Group::stop_now);
    }

    /// Whether no event loop is left.
    pub(crate) fn has_ended(&self) -> bool {
        self.groups.values().all(Group::is_idle)
    }

    /// The gauges of all workers.
    pub(crate) fn gauges(&self) -> Vec<Arc<Gauges>> {
        self.groups.values().flat_map(Group::gauges).map(Arc::clone).collect()
    }

    /// Kernel events that the running groups have lost.
    pub(crate) fn events_lost(&self) -> u64 {
        self.groups.values().map(Group::events_lost).sum()
    }

    /// What is missing on this host, one line each.
    pub(crate) fn missing(&self) -> Vec<String> {
        let all: BTreeSet<String> = self.groups.values().flat_map(Group::missing).collect();
        all.into_iter().collect()
    }

    /// Groups that should probe and do not.
    pub(crate) fn idle_groups(&self) -> usize {
        self.groups.values().filter(|group| group.is_idle()).count()
    }
}
