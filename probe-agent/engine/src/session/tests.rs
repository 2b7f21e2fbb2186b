//! Runs that end early, on this host's loopback.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use explain::Judged;
use model::target::{Target, TargetId};

use super::{Counts, Output, Plan, RunResult, run};
use crate::{fixtures, gauges::Gauges, settings::Settings};

/// Counts probes; of the target that it cannot stand it panics.
struct Picky {
    counted: u64,
    intolerable: Option<TargetId>,
}

impl Counts for Picky {
    fn add(&mut self, probe: &Judged) {
        assert!(self.intolerable != Some(probe.timeline.probe.target), "as the test wants it");
        self.counted += 1;
    }

    fn merge(&mut self, other: Self) {
        self.counted += other.counted;
    }
}

/// Takes a number of probes, then fails.
struct Full(u64);

impl Output for Full {
    fn probe(&mut self, _: Judged) -> io::Result<()> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}

/// Two workers probe two servers, each its own.
fn result(count: u64, intolerable: Option<u32>, room: u64) -> RunResult<Picky> {
    let servers = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let target = |server: &TcpListener| Target::at(server.local_addr().unwrap());
    let settings =
        Settings { concurrency: 8, settle: Duration::ZERO, slots: 32, ..fixtures::settings() };
    let plan = Plan {
        count: Some(count),
        workers: 2,
        ..Plan::new(settings, servers.iter().map(target).collect())
    };
    let counts = || Picky { counted: 0, intolerable: intolerable.map(TargetId) };
    run(&plan, None, &Arc::<AtomicBool>::default(), counts, &mut Full(room)).unwrap()
}

#[test]
fn a_worker_that_panics_loses_its_own_counts_and_no_others() {
    let result = result(1, Some(0), u64::MAX);
    assert_eq!(result.counts.counted, 1);
    assert!(result.ended.interrupted, "half of it is missing");
    let failure = result.failure.as_ref().map(ToString::to_string);
    assert_eq!(failure.as_deref(), Some("a worker thread panicked"));
    assert!(result.complete().is_err());
}

#[test]
fn an_output_that_fails_ends_the_run_and_the_counts_remain() {
    let result = result(1_000_000, None, 3);
    assert!(result.counts.counted >= 4, "{}", result.counts.counted);
    assert!(result.counts.counted < 2_000_000, "it went on to the end");
    assert_eq!(result.failure.map(|error| error.kind()), Some(io::ErrorKind::StorageFull));
}

#[test]
fn a_run_that_nothing_ends_early_is_complete() {
    let result = result(5, None, 10);
    assert_eq!((result.counts.counted, result.ended.interrupted), (10, false));
    assert!(result.complete().is_ok());
}
