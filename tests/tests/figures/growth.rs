//! After a shortage, as many probes are in flight as before.

use explain::Judged;
use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use engine::{
    gauges::Gauges,
    session::{self, Output, ReportFilter},
};
use lab::{Family, Fault, Lab, Segment};
use model::outcome::Outcome;
use probe_agent_tests::{plan, privileged};

const PORTS: std::ops::RangeInclusive<u16> = 40_000..=40_009;

/// Ports that somebody else has at first.
const TAKEN: std::ops::RangeInclusive<u16> = 40_002..=40_009;

/// Probes of the time of shortage: enough for the ceiling to have been lowered and tried again.
const SHORT: usize = 100;

/// Only guards against waiting for ever.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn when_ports_come_back_all_of_them_are_used() {
    privileged!();
    let lab = Lab::new().unwrap();
    let _silence = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let client = lab.client_address(Family::V4);
    let take = || TAKEN.map(|port| TcpListener::bind((client, port)).unwrap()).collect();
    let others = lab.client().run(take).unwrap();
    let target = SocketAddr::new(lab.server_address(Family::V4), 80);
    let mut plan = plan::as_check(&lab, target, 1).unwrap();
    plan.count = None;
    plan.settings.concurrency = PORTS.len();
    plan.settings.slots = u32::try_from(PORTS.len()).unwrap();
    plan.settings.socket.ports = Some(PORTS);
    plan.settings.timeout = Duration::from_millis(50);
    plan.settings.settle = Duration::ZERO;
    plan.filter = ReportFilter::All;
    let stop = Arc::new(AtomicBool::new(false));
    let mut story = Story { others, short: 0, stop: Arc::clone(&stop), began: Instant::now() };
    session::run(&plan, None, &stop, || (), &mut story).unwrap();
    assert!(story.others.is_empty(), "the run ended early");
}

/// Frees the ports once the shortage was met, and ends the run once all of them are in use.
struct Story {
    others: Vec<TcpListener>,
    short: usize,
    stop: Arc<AtomicBool>,
    began: Instant,
}

impl Output for Story {
    fn probe(&mut self, probe: Judged) -> io::Result<()> {
        let timeline = probe.timeline;
        // A shortage is waited out, and is no probe's outcome.
        ensure(timeline.probe.outcome == Outcome::TimedOut, || format!("{timeline:?}"))?;
        self.short += 1;
        if self.short == SHORT {
            self.others.clear();
        }
        Ok(())
    }

    fn tick(&mut self, gauges: &[Arc<Gauges>]) -> io::Result<()> {
        let in_flight = gauges.iter().map(|g| g.in_flight.load(Ordering::Relaxed)).sum::<u64>();
        let room = if self.others.is_empty() { PORTS.len() } else { PORTS.len() - TAKEN.len() };
        if self.others.is_empty() && in_flight == room as u64 {
            self.stop.store(true, Ordering::Relaxed);
        }
        let case = || format!("{in_flight} in flight, {room} ports");
        ensure(in_flight <= room as u64, case)?;
        ensure(self.began.elapsed() < PATIENCE, case)
    }
}

/// An error ends the run, where a panic would leave its threads behind.
fn ensure(holds: bool, case: impl Fn() -> String) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(case())) }
}
