//! The ACK guard keeps handshakes half-open, and where it does not stand, what leaks is told.

use probe_agent::{
    explain::verdict::Verdict,
    lab::{Family, Fault, Lab, Segment},
    probe::settings::PortPolicy,
};
use probe_agent_tests::{
    privileged,
    run::{Probing, Told, run},
};

/// Probes whose first SYN-ACK is lost: the server's timer and the answer to the SYN that is sent again
/// make two copies, and the second is acknowledged at once.
fn two_copies(family: Family, ack_guard: bool) -> (Told, u64) {
    let lab = Lab::new().unwrap();
    let listener = lab.listen(family).unwrap();
    let _lost = lab.inject(&Fault::lost(Segment::SynAck).first(400)).unwrap();
    let probing = Probing {
        count: 400,
        concurrency: 400,
        ports: 30_000..=30_399,
        policy: PortPolicy::Rotate,
        ack_guard,
    };
    let told = run(&lab, listener.address(), &probing);
    lab.settle().unwrap();
    (told, listener.accepted().unwrap() as u64)
}

/// Whether the second copy comes before the close is a race, which must be won once to show anything.
const ROUNDS: usize = 10;

#[test]
fn without_the_guard_each_leak_is_told() {
    privileged!();
    for family in Family::ALL {
        let leaks = (0..ROUNDS).any(|_| {
            let (told, accepted) = two_copies(family, false);
            let leaked = told.summary.verdict(Verdict::AckLeaked);
            assert_eq!(told.summary.half_open, "not_enforced");
            // An ACK that the RST overtakes left as well, but completes nothing any more.
            assert!(leaked >= accepted, "{accepted} accepted: {:?}", told.summary);
            accepted > 0
        });
        assert!(leaks, "{family:?}: nothing leaked, so nothing is shown");
    }
}

#[test]
fn with_the_guard_nothing_leaks_and_what_was_held_is_counted() {
    privileged!();
    for family in Family::ALL {
        let held = (0..ROUNDS).any(|_| {
            let (told, accepted) = two_copies(family, true);
            assert_eq!(told.summary.half_open, "enforced");
            assert_eq!((accepted, told.summary.verdict(Verdict::AckLeaked)), (0, 0));
            told.summary.acks_held > 0
        });
        assert!(held, "{family:?}: nothing was held back, so nothing is shown");
    }
}
