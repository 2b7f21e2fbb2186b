//! Two agents at the same time, with the same addresses and ports, in network namespaces of their
//! own: the hooks are global to the host, and each agent must see its own events only.

use std::{sync::Barrier, thread};

use engine::settings::PortPolicy;
use lab::{Family, Fault, Lab, Listener, ListenerOptions, Segment};
use model::verdict::Verdict;
use probe_agent_tests::{
    privileged,
    run::{Found, Probing, run},
};

const PROBES: u64 = 20;

fn probing() -> Probing {
    Probing {
        count: PROBES,
        concurrency: 4,
        ports: 40_000..=40_063,
        policy: PortPolicy::Rotate,
        ack_guard: true,
    }
}

#[test]
fn twins_do_not_see_each_others_events() {
    privileged!();
    for family in Family::ALL {
        let lossy = Lab::new().unwrap();
        let clean = lossy.twin().unwrap();
        let there = lossy.listen(family).unwrap();
        let same = ListenerOptions::at(there.address());
        let here = Listener::open(clean.server(), &same).unwrap();
        let lost = lossy.inject(&Fault::lost(Segment::FirstRst)).unwrap();
        // The recoveries take seconds; the clean agent probes meanwhile.
        let start = Barrier::new(2);
        let agent = |lab: &Lab, listener: &Listener| {
            start.wait();
            run(lab, listener.address(), &probing())
        };
        let (theirs, ours) = thread::scope(|scope| {
            let theirs = scope.spawn(|| agent(&lossy, &there));
            let ours = agent(&clean, &here);
            (theirs.join().unwrap(), ours)
        });
        let verdicts = |found: &Found| found.summary.verdicts.clone();
        assert_eq!(lost.hits().unwrap(), PROBES);
        assert_eq!(
            theirs.summary.verdict(Verdict::RstLostSynackRetransmit),
            PROBES,
            "{:?}",
            verdicts(&theirs)
        );
        assert_eq!(ours.summary.verdict(Verdict::Clean), PROBES, "{:?}", verdicts(&ours));
        // What the other server does has other sequence numbers.
        let event = ours.timelines.iter().flat_map(|timeline| &timeline.events).next();
        assert_eq!(event, None);
        assert_eq!((there.accepted().unwrap(), here.accepted().unwrap()), (0, 0));
    }
}
