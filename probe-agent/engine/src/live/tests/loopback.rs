//! A real event loop, real listeners, and targets that come and go.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::AtomicBool, mpsc},
    thread,
    time::Duration,
};

use explain::Judged;
use model::{expect::Expect, outcome::Outcome, target::TargetId};

use super::super::{Command, ProbePolicy, SharedLimits, channel};
use crate::{
    event_loop::{EventLoop, Sink},
    fixtures,
    gauges::Gauges,
    pacing::Jitter,
    settings::Settings,
};

/// What a sink has received.
#[derive(Debug)]
enum Received {
    Probe { target: u32, outcome: Outcome, expected: bool, port: u16 },
    Removed(u32),
}

struct Forward(mpsc::Sender<Received>);

impl Sink for Forward {
    type Result = ();

    fn settled(&mut self, probe: Judged) {
        let record = &probe.timeline.probe;
        let _ = self.0.send(Received::Probe {
            target: record.target.0,
            outcome: record.outcome,
            expected: probe.expected,
            port: record.flow.remote_port,
        });
    }

    fn removed(&mut self, target: TargetId) {
        let _ = self.0.send(Received::Removed(target.0));
    }

    fn has_room(&self) -> bool {
        true
    }

    fn finish(self) {}
}

#[test]
fn listeners_are_probed_while_targets_come_and_go() {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let open = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (commands, source) = channel(16, SharedLimits::default(), Jitter::default(), 1).unwrap();
    let (sender, received) = mpsc::channel();
    let settings = Settings {
        settle: Duration::from_millis(30),
        concurrency: 8,
        slots: 64,
        ..fixtures::settings()
    };
    let event_loop = EventLoop::new(
        settings,
        source,
        None,
        Arc::<Gauges>::default(),
        Arc::<AtomicBool>::default(),
    )
    .unwrap();
    let thread = thread::spawn(move || event_loop.run(&mut Forward(sender)));
    let policy = |expect| ProbePolicy {
        interval: Duration::from_millis(5),
        timeout: Duration::from_secs(1),
        expect,
    };
    let add = |target, address: SocketAddr, expect| {
        let (policy, first_delay) = (policy(expect), Duration::ZERO);
        let unresolved = (address.port() == 0).then_some(-2);
        commands
            .try_send(Command::Add {
                target: TargetId(target),
                address,
                unresolved,
                policy,
                first_delay,
            })
            .unwrap();
    };
    // Returns the first that fits; fails with what it knows if none comes.
    let wait_for = |fits: &dyn Fn(&Received) -> bool| loop {
        let next = received.recv_timeout(Duration::from_secs(20)).expect("nothing came");
        if fits(&next) {
            return next;
        }
    };
    let of = |wanted: u32| move |r: &Received| matches!(r, Received::Probe { target, .. } if *target == wanted);
    add(0, open[0], Expect::Open);
    add(1, closed, Expect::Closed);
    let Received::Probe { outcome, expected, .. } = wait_for(&of(0)) else { panic!() };
    assert_eq!((outcome, expected), (Outcome::Alive, true));
    let Received::Probe { outcome, expected, .. } = wait_for(&of(1)) else { panic!() };
    assert_eq!((outcome, expected), (Outcome::Refused, true), "each has its own expectation");
    commands.try_send(Command::Remove(TargetId(0))).unwrap();
    wait_for(&|r| matches!(r, Received::Removed(0)));
    // The id now names another target: nothing of the first may come under it.
    add(0, open[1], Expect::Closed);
    for _ in 0..20 {
        let Received::Probe { expected, port, .. } = wait_for(&of(0)) else { panic!() };
        assert_eq!((expected, port), (false, open[1].port()));
    }
    // Without an address, a probe fails on this host, each time.
    add(2, ([0, 0, 0, 0], 0).into(), Expect::Open);
    for _ in 0..3 {
        let Received::Probe { outcome, .. } = wait_for(&of(2)) else { panic!() };
        assert_eq!(outcome, Outcome::LocalError);
    }
    let long = Duration::from_secs(3_600);
    commands.try_send(Command::SetInterval { target: TargetId(0), interval: long }).unwrap();
    commands.try_send(Command::Stop).unwrap();
    let (ended, failure) = thread.join().unwrap();
    assert!(
        failure.is_none() && !ended.interrupted && ended.unsettled == 0,
        "{ended:?} {failure:?}"
    );
}
