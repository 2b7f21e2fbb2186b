//! The event loop without privileges. A listener whose accept queue is full does not answer.

use std::{
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use socket2::{Domain, Socket, Type};

use super::{EventLoop, Gauges, Sink, settle::HAND_OUT_BATCH};
use crate::{
    early::{EarlyFilter, EarlyReports},
    fixtures,
    pacing::{Jitter, Pacing, RateLimits},
    schedule::{ScheduledTargets, WorkerConfig, assign},
    settings::Settings,
};
use explain::Judged;
use kernel::monotonic;
use model::{
    duration::nanos,
    outcome::Outcome,
    target::{Target, Targets},
};

/// Long enough for the first batch of probes to settle while the second batch waits for answers.
const TIMEOUT: Duration = Duration::from_secs(1);
const SETTLE: Duration = Duration::from_millis(700);
const AT_ONCE: u64 = 300;

/// Blocks in the first probe that settles, until all probes in flight are overdue.
struct Slow {
    gauges: Arc<Gauges>,
    /// Probes received before any of those in flight had been ended.
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
fn deadlines_do_not_wait_until_all_settled_probes_are_handed_out() {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    // A queue of length 0 holds one connection.
    let _fills = TcpStream::connect(address).unwrap();
    let settings = Settings {
        concurrency: AT_ONCE as usize,
        timeout: TIMEOUT,
        settle: SETTLE,
        slots: 2 * AT_ONCE as u32,
        ..fixtures::settings()
    };
    let targets: Targets = [Target::at(address)].into();
    let pacing = Pacing::default();
    let assignments = assign(1, None, Some(2 * AT_ONCE), 1, Duration::ZERO, &pacing).remove(0);
    let limits = Arc::new(RateLimits::new(&pacing, &targets));
    let config =
        WorkerConfig { targets, names: None, assignments, jitter: Jitter::default(), limits };
    let gauges = Arc::new(Gauges::default());
    let stop = Arc::new(AtomicBool::new(false));
    let early = EarlyReports::new(EarlyFilter::None, |_| {});
    let source = ScheduledTargets::new(config, early, 7, monotonic::now());
    let event_loop = EventLoop::new(settings, source, None, Arc::clone(&gauges), stop).unwrap();
    let mut sink = Slow { gauges, meanwhile: 0, taken: 0 };
    let (_, failure) = event_loop.run(&mut sink);
    assert!(failure.is_none(), "{failure:?}");
    assert_eq!(sink.taken, 2 * AT_ONCE);
    assert!(sink.meanwhile <= HAND_OUT_BATCH, "{} were handed out before", sink.meanwhile);
}
