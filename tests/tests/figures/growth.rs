//! After a shortage, as many probes are in flight as before.

use explain::Judged;
use std::{
    cell::{Cell, RefCell},
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
    session::{self, ReportFilter},
};
use lab::{Family, Fault, Lab, Segment};
use model::outcome::Outcome;
use probe_agent_tests::{plan, privileged, run::Recorder};

const PORTS: std::ops::RangeInclusive<u16> = 40_000..=40_009;

/// Ports that other sockets hold at first.
const TAKEN: std::ops::RangeInclusive<u16> = 40_002..=40_009;

/// Probes during the shortage: enough for the in-flight limit to be lowered and raised again.
const SHORT: usize = 100;

/// Only guards against hanging.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn when_ports_are_free_again_all_of_them_are_used() {
    privileged!();
    let lab = Lab::new().unwrap();
    let _silence = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let client = lab.client_address(Family::V4);
    let take = || TAKEN.map(|port| TcpListener::bind((client, port)).unwrap()).collect();
    let others: Vec<TcpListener> = lab.client().run(take).unwrap();
    let target = SocketAddr::new(lab.server_address(Family::V4), 80);
    let mut plan = plan::in_lab(&lab, target, 1).unwrap();
    plan.count = None;
    plan.settings.concurrency = PORTS.len();
    plan.settings.slots = u32::try_from(PORTS.len()).unwrap();
    plan.settings.socket.ports = Some(PORTS);
    plan.settings.timeout = Duration::from_millis(50);
    plan.settings.settle = Duration::ZERO;
    plan.filter = ReportFilter::All;
    let stop = Arc::new(AtomicBool::new(false));
    let (others, probes, began) = (RefCell::new(others), Cell::new(0), Instant::now());
    // Frees the ports once the shortage was met.
    let on_probe = |probe: Judged| {
        let timeline = probe.timeline;
        // The engine waits during a shortage; it is no probe's outcome.
        ensure(timeline.probe.outcome == Outcome::TimedOut, || format!("{timeline:?}"))?;
        probes.set(probes.get() + 1);
        if probes.get() == SHORT {
            others.borrow_mut().clear();
        }
        Ok(())
    };
    // Ends the run once all ports are in use.
    let on_tick = |gauges: &[Arc<Gauges>]| {
        let in_flight = gauges.iter().map(|g| g.in_flight.load(Ordering::Relaxed)).sum::<u64>();
        let are_free = others.borrow().is_empty();
        let room = if are_free { PORTS.len() } else { PORTS.len() - TAKEN.len() };
        if are_free && in_flight == room as u64 {
            stop.store(true, Ordering::Relaxed);
        }
        let case = || format!("{in_flight} in flight, {room} ports");
        ensure(in_flight <= room as u64, case)?;
        ensure(began.elapsed() < PATIENCE, case)
    };
    session::run(&plan, None, &stop, || (), &mut Recorder::new(on_probe, on_tick))
        .and_then(session::RunResult::complete)
        .unwrap();
    assert!(others.borrow().is_empty(), "the run ended early");
}

/// An error ends the run; a panic would leave its threads behind.
fn ensure(holds: bool, case: impl Fn() -> String) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(case())) }
}
