use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use super::{
    Command, CommandError, CommandSender, LiveTarget, LiveTargets, ProbePolicy, SharedLimits,
    channel, source::BATCH,
};
use crate::{
    pacing::{Jitter, Pacing},
    schedule::Rng,
    source::{Source, TargetTable},
};
use kernel::monotonic;
use model::{
    expect::Expect, fixtures::probe_record, outcome::Outcome, record::ProbeRecord, target::TargetId,
};

mod loopback;

const MILLI: u64 = 1_000_000;

fn policy(interval: u64) -> ProbePolicy {
    ProbePolicy {
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(500),
        expect: Expect::Open,
    }
}

fn address(target: u32) -> SocketAddr {
    (Ipv4Addr::from(0x0a00_0000 + target), 80).into()
}

fn add(target: u32, interval: u64, first_delay: u64) -> Command {
    Command::Add {
        target: TargetId(target),
        address: address(target),
        unresolved: None,
        policy: policy(interval),
        first_delay: Duration::from_millis(first_delay),
    }
}

fn set_interval(target: u32, interval: u64) -> Command {
    Command::SetInterval { target: TargetId(target), interval: Duration::from_millis(interval) }
}

/// A source with its table, as an event loop has them.
struct Worker {
    sender: CommandSender,
    source: LiveTargets,
    targets: TargetTable<LiveTarget>,
}

impl Worker {
    fn new(bound: usize, pacing: &Pacing) -> Self {
        let (sender, source) =
            channel(bound, SharedLimits::new(pacing), Jitter::default(), 7).unwrap();
        let targets = source.targets();
        Self { sender, source, targets }
    }

    fn send(&self, command: Command) {
        self.sender.try_send(command).unwrap();
    }

    fn update(&mut self, now: u64) {
        self.source.update(&mut self.targets, now);
    }

    /// All targets that are due.
    fn take(&mut self, now: u64) -> Vec<u32> {
        let Self { source, targets, .. } = self;
        std::iter::from_fn(|| source.take(targets, now)).map(|id| id.0).collect()
    }

    fn settle(&mut self, target: u32) -> Option<Expect> {
        self.source.on_settled(&mut self.targets, &record(target))
    }

    fn removed(&mut self) -> BTreeSet<u32> {
        std::iter::from_fn(|| self.source.next_removed()).map(|id| id.0).collect()
    }
}

fn record(target: u32) -> ProbeRecord {
    ProbeRecord { target: TargetId(target), ..probe_record(Outcome::Alive, 0) }
}

/// When targets are due, by the plainest means: the time and interval of each, searched in full.
#[derive(Default)]
struct Model(BTreeMap<u32, Due>);

struct Due {
    /// When it was due last; before the first time, one interval before that.
    last: u64,
    interval: u64,
    at: u64,
}

impl Model {
    fn apply(&mut self, command: &Command, now: u64) {
        let nanos = |time: Duration| time.as_nanos() as u64;
        match command {
            Command::Add { target, policy, first_delay, .. } => {
                let (at, interval) = (now + nanos(*first_delay), nanos(policy.interval));
                self.0.entry(target.0).or_insert(Due { last: at - interval, interval, at });
            }
            Command::Remove(target) => drop(self.0.remove(&target.0)),
            Command::SetInterval { target, interval }
            | Command::Replace { target, policy: ProbePolicy { interval, .. } } => {
                if let Some(due) = self.0.get_mut(&target.0)
                    && due.interval != nanos(*interval)
                {
                    due.interval = nanos(*interval);
                    due.at = (due.last + due.interval).max(now);
                }
            }
            Command::Stop => self.0.clear(),
        }
    }

    fn next(&self) -> Option<u64> {
        self.0.values().map(|due| due.at).min()
    }

    /// What is due now, one round: a target that is so late that it is due again comes in the next.
    fn take(&mut self, now: u64) -> BTreeSet<u32> {
        let due = self.0.iter_mut().filter(|(_, due)| due.at <= now);
        due.map(|(target, due)| {
            due.last = due.at;
            due.at = (due.at + due.interval).max(now);
            *target
        })
        .collect()
    }
}

/// A random command. Few values, so that targets are often due at the same time, and an interval often stays.
fn random_command(rng: &mut Rng) -> Command {
    let target = rng.up_to(11) as u32;
    let interval = 100 * (1 + rng.up_to(4));
    match rng.up_to(9) {
        0..=3 => add(target, interval, rng.up_to(500)),
        4..=6 => Command::Remove(TargetId(target)),
        7..=8 => set_interval(target, interval),
        _ => Command::Replace { target: TargetId(target), policy: policy(interval) },
    }
}

/// Whatever is added, changed and removed meanwhile, each target is due exactly when a plain list says so.
#[test]
fn targets_are_due_as_a_plain_list_has_them() {
    for seed in 0..300 {
        let mut rng = Rng(seed);
        let mut worker = Worker::new(1, &Pacing::default());
        let mut model = Model::default();
        let mut now = 1_000_000 * MILLI;
        for _ in 0..200 {
            if rng.up_to(1) == 0 {
                let command = random_command(&mut rng);
                model.apply(&command, now);
                worker.send(command);
                worker.update(now);
            } else if let Some(next) = model.next() {
                // Usually in time, sometimes later than several intervals.
                let late = if rng.up_to(3) == 0 { rng.up_to(1_000) } else { 0 };
                now = now.max(next) + late * MILLI;
                let mut expected = Vec::new();
                while model.next().is_some_and(|at| at <= now) {
                    expected.extend(model.take(now));
                }
                let mut taken = worker.take(now);
                taken.iter().for_each(|target| assert!(worker.settle(*target).is_some()));
                taken.sort_unstable();
                expected.sort_unstable();
                assert_eq!(taken, expected, "seed {seed} at {now}");
            }
            assert_eq!(worker.source.next_due(), model.next(), "seed {seed} at {now}");
        }
    }
}

#[test]
fn a_removed_target_is_reported_after_its_last_probe_has_settled() {
    let mut worker = Worker::new(8, &Pacing::default());
    [add(3, 100, 0), add(4, 100, 0)].into_iter().for_each(|command| worker.send(command));
    worker.update(0);
    assert_eq!(worker.take(0), [3, 4]);
    assert_eq!(worker.take(100 * MILLI), [3, 4]);
    // A confirmation probe is to follow one of them.
    worker.source.on_probe_end(&mut worker.targets, &record(3), true);
    worker.send(Command::Remove(TargetId(3)));
    worker.update(110 * MILLI);
    assert_eq!(worker.take(300 * MILLI), [4, 4], "it is probed no more");
    assert_eq!(worker.targets.address(TargetId(3)), address(3), "its probes are still known");
    for _ in 0..2 {
        assert_eq!(worker.settle(3), Some(Expect::Open));
        assert!(worker.removed().is_empty());
    }
    assert_eq!(worker.settle(3), Some(Expect::Open));
    assert_eq!(worker.removed(), [3].into());
    assert!(!worker.targets.contains(TargetId(3)));
    assert_eq!(worker.settle(3), None, "nothing of it is left");
}

#[test]
fn each_target_has_its_own_timeout_and_expectation() {
    let mut worker = Worker::new(8, &Pacing::default());
    worker.send(add(0, 100, 0));
    worker.send(add(1, 100, 0));
    let closed =
        ProbePolicy { expect: Expect::Closed, timeout: Duration::from_millis(20), ..policy(100) };
    worker.send(Command::Replace { target: TargetId(1), policy: closed });
    worker.update(0);
    let deadlines =
        [0, 1, 9].map(|id| worker.source.deadline(&mut worker.targets, TargetId(id), MILLI, 7));
    assert_eq!(deadlines, [501 * MILLI, 21 * MILLI, MILLI + 7]);
    assert_eq!([0, 1].map(|id| worker.settle(id)), [Some(Expect::Open), Some(Expect::Closed)]);
}

#[test]
fn a_turn_takes_in_a_batch_and_what_is_due_does_not_wait_for_the_rest() {
    let count = 10_000;
    let mut worker = Worker::new(count as usize + 1, &Pacing::default());
    worker.send(add(count, 10, 0));
    worker.update(0);
    (0..count).for_each(|id| worker.send(add(id, 60_000, 60_000)));
    let mut turns = 0;
    while !worker.source.may_sleep() {
        worker.source.on_wake();
        let now = u64::from(turns) * 10 * MILLI;
        worker.update(now);
        assert_eq!(worker.take(now), [count], "it is due in each turn");
        turns += 1;
    }
    assert_eq!(turns, count.div_ceil(BATCH as u32));
}

#[test]
fn memory_of_removed_targets_is_given_back() {
    let count = 10_000;
    let mut worker = Worker::new(count, &Pacing::default());
    let limited = Pacing { rate_per_host: NonZeroU32::new(1_000), ..Pacing::default() };
    let mut limited = Worker::new(count, &limited);
    for worker in [&mut worker, &mut limited] {
        for round in 0..3 {
            // They would be due in an hour: nothing takes them out of the schedule by the way.
            let ids = round * count as u32..(round + 1) * count as u32;
            ids.clone().for_each(|id| worker.send(add(id, 3_600_000, 3_600_000)));
            (0..=count / BATCH).for_each(|_| worker.update(0));
            let entries = worker.source.schedule.size().0;
            assert!((count..count + 128).contains(&entries), "{entries}");
            ids.skip(1).for_each(|id| worker.send(Command::Remove(TargetId(id))));
            (0..=count / BATCH).for_each(|_| worker.update(0));
            assert_eq!(worker.removed().len(), count - 1);
            worker.send(Command::Remove(TargetId(round * count as u32)));
            worker.update(0);
            assert_eq!(worker.removed().len(), 1);
        }
        let (entries, allocated) = worker.source.schedule.size();
        assert!(entries <= 128 && allocated <= 512, "{entries} entries, {allocated} allocated");
    }
    assert_eq!(limited.source.limits.0.hosts(), 0);
}

#[test]
fn added_targets_share_the_rate_limit_of_their_host() {
    let pacing = Pacing { rate_per_host: NonZeroU32::new(10), ..Pacing::default() };
    let mut worker = Worker::new(16, &pacing);
    // Three targets on one address, which may be probed every 100 ms; and one on another.
    for target in 0..3 {
        worker.send(Command::Add {
            target: TargetId(target),
            address: (Ipv4Addr::from(0x0a00_0001), 80 + target as u16).into(),
            unresolved: None,
            policy: policy(100),
            first_delay: Duration::ZERO,
        });
    }
    worker.send(add(3, 100, 0));
    let start = 1_000 * MILLI;
    worker.update(start);
    let mut counts = [0; 4];
    for now in (0..900).map(|milli| start + milli * MILLI) {
        worker.take(now).into_iter().for_each(|target| counts[target as usize] += 1);
    }
    assert_eq!(counts, [3, 3, 3, 9]);
    // A target that waits in the queue of its host is removed from there.
    worker.send(Command::Remove(TargetId(1)));
    worker.update(start + 900 * MILLI);
    let mut counts = [0; 4];
    for now in (900..1_800).map(|milli| start + milli * MILLI) {
        worker.take(now).into_iter().for_each(|target| counts[target as usize] += 1);
    }
    assert_eq!(counts[1], 0);
    assert!((4..=5).contains(&counts[0]) && (4..=5).contains(&counts[2]), "{counts:?}");
}

#[test]
fn a_full_queue_returns_the_command_and_a_closed_one_stops_the_worker() {
    let Worker { sender, mut source, mut targets } = Worker::new(1, &Pacing::default());
    sender.try_send(add(0, 100, 0)).unwrap();
    let refused = sender.try_send(Command::Stop);
    assert_eq!(refused, Err((Command::Stop, CommandError::Full)));
    drop(sender);
    source.update(&mut targets, 0);
    assert!(source.is_exhausted() && source.next_due().is_none());
    assert_eq!(source.take(&mut targets, MILLI), None);
    let Worker { sender, source, .. } = Worker::new(1, &Pacing::default());
    drop(source);
    assert_eq!(sender.try_send(Command::Stop), Err((Command::Stop, CommandError::Closed)));
}

#[test]
fn what_is_added_after_the_stop_is_given_back_at_once() {
    let mut worker = Worker::new(4, &Pacing::default());
    [Command::Stop, add(0, 100, 0)].into_iter().for_each(|command| worker.send(command));
    worker.update(monotonic::now());
    assert_eq!(worker.removed(), [0].into());
}
