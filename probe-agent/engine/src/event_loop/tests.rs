//! The engine without privileges: a listener whose queue is full is silent.

use std::{
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use socket2::{Domain, Socket, Type};

use super::{EventLoop, Gauges, HANDED, Sink};
use crate::{
    fixtures,
    pacing::{Jitter, Limits, Pacing},
    schedule::{ScheduledTargets, WorkerConfig, assign},
    settings::Settings,
};
use explain::Judged;
use kernel::monotonic;
use model::{duration::nanos, outcome::Outcome, target::Target};

/// The first probes settle while the second ones wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(1);
const SETTLE: Duration = Duration::from_millis(700);
const AT_ONCE: u64 = 300;

/// Takes its time with the first probe that settles, until all probes in flight are overdue.
struct Slow {
    gauges: Arc<Gauges>,
    /// Probes taken while none of those in flight had been ended.
    meanwhile: usize,
    taken: u64,
}

impl Sink for Slow {
    type Result = ();

    fn settled(&mut self, probe: Judged) {
        assert_eq!(probe.timeline.probe.outcome, Outcome::TimedOut);
        self.taken += 1;
        if self.gauges.ended.load(Ordering::Relaxed) > AT_ONCE {
            return;
        }
        self.meanwhile += 1;
        let overdue = self.gauges.last_at.load(Ordering::Relaxed) + nanos(TIMEOUT + SETTLE / 2);
        while monotonic::now() < overdue {
            std::hint::spin_loop();
        }
    }

    fn has_room(&self) -> bool {
        true
    }

    fn finish(self) {}
}

#[test]
fn timeouts_do_not_wait_for_all_that_is_settled() {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    // A queue of 0 holds one.
    let _fills = TcpStream::connect(address).unwrap();
    let settings = Settings {
        concurrency: AT_ONCE as usize,
        timeout: TIMEOUT,
        settle: SETTLE,
        slots: 2 * AT_ONCE as u32,
        ..fixtures::settings()
    };
    let targets: Arc<[Target]> = [Target::at(address)].into();
    let pace = Pacing::default();
    let shares = assign(1, Some(2 * AT_ONCE), 1, Duration::ZERO, &pace).remove(0);
    let limits = Arc::new(Limits::new(&pace, &targets));
    let config = WorkerConfig { targets, shares, jitter: Jitter::default(), limits };
    let gauges = Arc::new(Gauges::default());
    let stop = Arc::new(AtomicBool::new(false));
    let source = ScheduledTargets::new(config, 7, monotonic::now());
    let event_loop = EventLoop::new(settings, source, None, Arc::clone(&gauges), stop).unwrap();
    let mut sink = Slow { gauges, meanwhile: 0, taken: 0 };
    event_loop.run(&mut sink).unwrap();
    assert_eq!(sink.taken, 2 * AT_ONCE);
    assert!(sink.meanwhile <= HANDED, "{} were handed out before", sink.meanwhile);
}
