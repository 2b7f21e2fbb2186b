//! How many threads probe, where the user does not say.

use std::{num::NonZeroU32, thread, time::Duration};

use engine::{pacing::Pacing, settings::PortPolicy};
use kernel::headroom;
use model::target::TargetId;

use super::slots::Limits;
use crate::config::CheckConfig;

/// So many probes a second leave a worker most of its core. It can start several times as many; but the
/// report of each takes time, too.
const RATE_OF_ONE: f64 = 20_000.0;

/// Threads beside the workers: the reader of kernel events, the watchdog and the exporter's two.
const OTHERS: u32 = 4;

/// A run of fewer probes is over before a further thread would help.
const MUCH: u64 = 20_000;

/// Each worker needs so many probes in flight, and as many slots, to keep its core busy.
const IN_FLIGHT_OF_ONE: u32 = 16;

/// The workers of a run: as many as were asked for, or as its work needs.
pub(super) fn workers(config: &CheckConfig, pacing: &Pacing, limits: &Limits) -> u32 {
    let asked = config.workers.map(NonZeroU32::get);
    asked.unwrap_or_else(|| startable(needed(config, pacing, limits).min(cores())))
}

/// How many of so many workers this host has threads for, at least one. Nobody asked for so many.
fn startable(workers: u32) -> u32 {
    if workers == 1 {
        return 1;
    }
    let threads = headroom::startable((workers + OTHERS) as usize);
    u32::try_from(threads).unwrap_or(u32::MAX).saturating_sub(OTHERS).max(1)
}

/// The cores that this process may use, by its CPU affinity and its cgroup's limit.
fn cores() -> u32 {
    thread::available_parallelism()
        .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX))
}

/// How many workers have something to do.
fn needed(config: &CheckConfig, pacing: &Pacing, limits: &Limits) -> u32 {
    let is_small = config.total_probes().is_some_and(|probes| probes < MUCH);
    // That policy reproduces what one port after the other does.
    if is_small || config.port_policy == PortPolicy::Pin {
        return 1;
    }
    let busy = (rate(config, pacing) / RATE_OF_ONE).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and a rate is not negative"
    )]
    let busy = busy as u32;
    busy.min(limits.concurrency / IN_FLIGHT_OF_ONE).min(limits.slots / IN_FLIGHT_OF_ONE).max(1)
}

/// The probes that are to start in a second; infinite if as many as possible.
fn rate(config: &CheckConfig, pacing: &Pacing) -> f64 {
    let limit = |rate: Option<NonZeroU32>| rate.map_or(f64::INFINITY, |rate| f64::from(rate.get()));
    let targets = u32::try_from(config.target_count).unwrap_or(u32::MAX);
    let of = |target| match pacing.interval(TargetId(target), config.interval) {
        Duration::ZERO => f64::INFINITY,
        interval => 1.0 / interval.as_secs_f64(),
    };
    // One probe of each target: all start at once.
    let due = if pacing.spread { (0..targets).map(of).sum() } else { f64::INFINITY };
    let per_host = limit(config.rate_per_host) * f64::from(targets);
    due.min(limit(config.rate)).min(per_host)
}

#[cfg(test)]
mod tests {
    use super::{Limits, needed};
    use crate::config::tests::config;

    /// How many workers a command line needs, however many cores there are.
    fn of(command_line: &str) -> u32 {
        let config = config(command_line);
        let concurrency = config.concurrency.get();
        let slots = config.slots.map_or(8_192, u32::from);
        needed(&config, &config.pace(Box::default()), &Limits { slots, concurrency })
    }

    #[test]
    fn a_run_takes_more_threads_only_where_there_is_much_to_do() {
        for (command_line, workers) in [
            ("a:1", 1),
            ("a:1 -c 0", 1),
            ("a:1 -c 19999 -i 0", 1),
            // As fast as possible: as many as the probes in flight feed.
            ("a:1 -c 20000 -i 0", 16),
            ("a:1 -c 0 -i 0", 16),
            ("a:1 -c 0 -i 0 --concurrency 64", 4),
            ("a:1 -c 0 -i 0 --concurrency 1", 1),
            ("a:1 -c 0 -i 0 --slots 40", 2),
            ("a:1 -c 0 -i 0 --source-port 40000", 1),
            // A rate says how much there is to do.
            ("a:1 -c 0 -i 0 --rate 20000", 1),
            ("a:1 -c 0 -i 0 --rate 20001", 2),
            ("a:1 b:1 -c 0 -i 0 --rate-per-host 15000", 2),
            ("a:1 -c 0 -i 40us", 2),
            ("a:1 b:1 -c 0 -i 40us", 3),
            ("a:1 -c 0 -i 0 --port-policy pin", 1),
        ] {
            assert_eq!(of(command_line), workers, "{command_line}");
        }
    }
}
