//! Rate limits that all workers of a run share.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::Pacing;
use model::{
    append_list::AppendList,
    target::{TargetId, Targets},
};

/// The host of a target without an address.
const NO_HOST: u32 = u32::MAX;

/// A worker that wakes up to this late, in nanoseconds, still keeps the rate: the starts that it missed
/// are made up for at once. For that reason a second may have up to 2 % more starts than the rate.
const MAX_CATCH_UP: u64 = 20_000_000;

/// A number of starts per second, evenly spaced.
#[derive(Debug)]
struct RateLimit {
    /// The time between two starts, in nanoseconds.
    period: u64,
}

impl RateLimit {
    fn new(per_second: NonZeroU32) -> Self {
        Self { period: 1_000_000_000 / u64::from(per_second.get()) }
    }

    /// Takes a start, if one is allowed at `now`. Otherwise the error is the time of the next one.
    fn acquire(&self, next_start: &AtomicU64, now: u64) -> Result<(), u64> {
        let after = |at: u64| (at <= now).then(|| self.after(at, now));
        next_start.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).map(|_| ())
    }

    /// Takes a start that cannot wait: later starts are delayed instead.
    fn charge(&self, next_start: &AtomicU64, now: u64) {
        let after = |at: u64| Some(if at > now { at + self.period } else { self.after(at, now) });
        // The closure never returns `None`, so this cannot fail.
        let _ = next_start.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
    }

    /// Undoes [`Self::acquire`].
    fn release(&self, next_start: &AtomicU64) {
        next_start.fetch_sub(self.period, Ordering::Relaxed);
    }

    /// When the next start is allowed, if one at `now` uses a start that was allowed since `at`.
    fn after(&self, at: u64, now: u64) -> u64 {
        // Only lateness is made up for: an idle time gives no credit.
        (if now - at <= MAX_CATCH_UP { at } else { now }) + self.period
    }
}

/// The rate limit of the run, and that of each destination address.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    run: Option<(RateLimit, AtomicU64)>,
    per_host: Option<PerHost>,
}

#[derive(Debug)]
struct PerHost {
    limit: RateLimit,
    /// The time of the next allowed start, by host.
    next_start: AppendList<AtomicU64>,
    /// The host of each target.
    hosts: AppendList<u32>,
    numbers: Mutex<HashMap<IpAddr, u32>>,
    later: Mutex<LaterHosts>,
}

/// Hosts of targets that were added later.
#[derive(Debug, Default)]
struct LaterHosts {
    /// The address of each, and how many targets it has.
    members: HashMap<u32, (IpAddr, usize)>,
    /// Numbers of hosts without a target.
    free: Vec<u32>,
}

impl RateLimits {
    /// The limits of a run.
    pub(crate) fn new(pacing: &Pacing, targets: &Targets) -> Self {
        Self {
            run: pacing.rate.map(|rate| (RateLimit::new(rate), AtomicU64::new(0))),
            per_host: pacing.rate_per_host.map(|rate| PerHost::new(rate, targets)),
        }
    }

    /// When the next probe of any target may start; 0 without a limit.
    pub(crate) fn next_start(&self) -> u64 {
        self.run.as_ref().map_or(0, |(_, next_start)| next_start.load(Ordering::Relaxed))
    }

    /// The host of a target, if hosts have rate limits.
    pub(crate) fn host(&self, target: TargetId) -> Option<u32> {
        self.per_host.as_ref().and_then(|hosts| hosts.of(target))
    }

    /// The host of a target that is added later, if hosts have rate limits. It is given back by
    /// [`Self::leave`].
    pub(crate) fn join(&self, ip: IpAddr) -> Option<u32> {
        self.per_host.as_ref()?.join(ip)
    }

    /// A target that was added later is removed.
    pub(crate) fn leave(&self, host: u32) {
        if let Some(hosts) = &self.per_host {
            hosts.leave(host);
        }
    }

    /// How many hosts have targets that were added later.
    #[cfg(test)]
    pub(crate) fn hosts(&self) -> usize {
        let hosts = self.per_host.as_ref();
        hosts.map_or(0, |hosts| {
            hosts.later.lock().unwrap_or_else(PoisonError::into_inner).members.len()
        })
    }

    /// Adds the targets by which the list of the run has grown.
    pub(crate) fn follow(&self, targets: &Targets) {
        if let Some(hosts) = &self.per_host {
            hosts.follow(targets);
        }
    }

    /// When the next probe of a host may start.
    pub(crate) fn next_start_of_host(&self, host: u32) -> u64 {
        let next_start = self.per_host.as_ref().and_then(|hosts| hosts.next_start(host));
        next_start.map_or(0, |next_start| next_start.load(Ordering::Relaxed))
    }

    /// Takes a start for a target that is due.
    ///
    /// # Errors
    /// The limit that does not allow it now.
    pub(crate) fn acquire(&self, host: Option<u32>, now: u64) -> Result<(), RateLimited> {
        if let Some((limit, next_start)) = &self.run {
            limit.acquire(next_start, now).map_err(|_| RateLimited::Run)?;
        }
        if let (Some(hosts), Some(host)) = (&self.per_host, host)
            && let Some(next_start) = hosts.next_start(host)
            && let Err(until) = hosts.limit.acquire(next_start, now)
        {
            if let Some((limit, next_start)) = &self.run {
                limit.release(next_start);
            }
            return Err(RateLimited::Host { until });
        }
        Ok(())
    }

    /// Counts a probe that starts without waiting for the limits: a confirmation probe.
    pub(crate) fn charge(&self, host: Option<u32>, now: u64) {
        if let Some((limit, next_start)) = &self.run {
            limit.charge(next_start, now);
        }
        if let Some(hosts) = &self.per_host
            && let Some(next_start) = host.and_then(|host| hosts.next_start(host))
        {
            hosts.limit.charge(next_start, now);
        }
    }
}

/// Which limit keeps a probe from starting now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateLimited {
    /// The limit of the run.
    Run,
    /// The limit of its destination address, until this time.
    Host { until: u64 },
}

impl PerHost {
    fn new(rate: NonZeroU32, targets: &Targets) -> Self {
        let mut numbers = HashMap::new();
        let hosts: AppendList<u32> =
            targets.iter().map(|target| number(&mut numbers, target.address.ip())).collect();
        let next_start = numbers.iter().map(|_| AtomicU64::new(0)).collect();
        Self {
            limit: RateLimit::new(rate),
            next_start,
            hosts,
            numbers: Mutex::new(numbers),
            later: Mutex::default(),
        }
    }

    /// When the next probe of a host may start.
    fn next_start(&self, host: u32) -> Option<&AtomicU64> {
        self.next_start.get(host as usize)
    }

    /// Adds the targets by which the list of the run has grown.
    fn follow(&self, targets: &Targets) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        for target in targets.iter().skip(self.hosts.len()) {
            let host = number(&mut numbers, target.address.ip());
            if self.next_start.len() < numbers.len() {
                self.next_start.push(AtomicU64::new(0));
            }
            self.hosts.push(host);
        }
    }

    fn join(&self, ip: IpAddr) -> Option<u32> {
        let ip = ip.to_canonical();
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let host = match (numbers.get(&ip).copied(), later.free.pop()) {
            (Some(host), free) => {
                later.free.extend(free);
                host
            }
            (None, Some(host)) => host,
            (None, None) => u32::try_from(self.next_start.push(AtomicU64::new(0))?).ok()?,
        };
        numbers.insert(ip, host);
        later.members.entry(host).or_insert((ip, 0)).1 += 1;
        Some(host)
    }

    fn leave(&self, host: u32) {
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut later = self.later.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((ip, members)) = later.members.get_mut(&host) else { return };
        *members -= 1;
        if *members == 0 {
            numbers.remove(ip);
            later.members.remove(&host);
            later.free.push(host);
        }
    }

    /// The host of a target; `None` if it has no address.
    fn of(&self, target: TargetId) -> Option<u32> {
        let host = self.hosts.get(target.0 as usize).copied()?;
        (host != NO_HOST).then_some(host)
    }
}

/// The number of a host: that of an IPv4-mapped address is the same. Names without an address have none, so
/// that they do not wait for each other.
fn number(numbers: &mut HashMap<IpAddr, u32>, ip: IpAddr) -> u32 {
    if ip.is_unspecified() {
        return NO_HOST;
    }
    let next = u32::try_from(numbers.len()).unwrap_or(NO_HOST);
    *numbers.entry(ip.to_canonical()).or_insert(next)
}
