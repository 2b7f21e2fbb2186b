//! nftables drops RSTs at random and counts them: the agent must count the same, whatever it does
//! with its ports.
//!
//! One agent at a time: a tracepoint's program does not run where it would interrupt another one, and
//! each agent's programs run at every agent's events.

use std::sync::{Mutex, PoisonError};

use engine::settings::PortPolicy;
use explain::timeline::Coverage;
use lab::{Family, Fault, Lab, Segment};
use model::{outcome::Outcome, verdict::Verdict};
use probe_agent_tests::{
    privileged,
    run::{Probing, run},
};

const PROBES: u64 = 5_000;
const PERCENT: u8 = 5;

/// Whose turn it is.
static TURN: Mutex<()> = Mutex::new(());

/// A port for every probe: only the server's own timer can find out (path A).
#[test]
fn rotated_ports() {
    privileged!();
    lost_rsts_are_counted(&Probing {
        count: PROBES,
        concurrency: 64,
        ports: 30_000..=36_000,
        policy: PortPolicy::Rotate,
        ack_guard: true,
    });
}

/// A few ports, each used again long before the server's timer (path B).
#[test]
fn few_ports() {
    privileged!();
    lost_rsts_are_counted(&Probing {
        count: PROBES,
        concurrency: 16,
        ports: 30_000..=30_063,
        policy: PortPolicy::Rotate,
        ack_guard: true,
    });
}

/// One port, used again at once (path B).
#[test]
fn one_port() {
    privileged!();
    lost_rsts_are_counted(&Probing {
        count: PROBES,
        concurrency: 1,
        ports: 30_000..=30_000,
        policy: PortPolicy::Pin,
        ack_guard: true,
    });
}

fn lost_rsts_are_counted(probing: &Probing) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for family in Family::ALL {
        over(family, probing);
    }
}

fn over(family: Family, probing: &Probing) {
    let lab = Lab::new().unwrap();
    let listener = lab.listen(family).unwrap();
    let lost = lab.inject(&Fault::lost(Segment::FirstRst).percent(PERCENT)).unwrap();
    let before = lab.server().counters().unwrap();
    let told = run(&lab, listener.address(), probing);
    lab.settle().unwrap();

    let summary = &told.summary;
    let of = |verdict| summary.verdict(verdict);
    let (a, b, unrecovered) = (
        of(Verdict::RstLostSynackRetransmit),
        of(Verdict::RstLostPortReuse),
        of(Verdict::RstLostUnrecovered),
    );
    let dropped = lost.dropped().unwrap();
    let witness = lab.server().counters().unwrap().since(&before);
    let case = format!("{family:?}: {summary:?}, {dropped} dropped, the server says {witness:?}");
    assert!(dropped > 0, "{case}");
    // The kernel may skip a hook. That must be noticed, and then it is no more than was noticed.
    assert!((a + b + unrecovered).abs_diff(dropped) <= summary.events_lost, "{case}");
    // Whoever met a leftover met one of those.
    assert_eq!(of(Verdict::StaleSynRecvChallengeAck), b, "{case}");
    for verdict in [Verdict::StaleSynRecvReset, Verdict::LateSynack, Verdict::SynRetransmitted] {
        assert_eq!(of(verdict), 0, "{case}");
    }
    assert_eq!(summary.probes, PROBES, "{case}");
    assert_eq!(summary.outcome(Outcome::Alive), PROBES, "{case}: {:?}", summary.outcomes);
    assert_eq!(summary.unsettled, 0, "{case}");
    let in_doubt = told.timelines.iter().any(|t| t.coverage == Coverage::EventsLost);
    assert_eq!(in_doubt, summary.events_lost > 0, "{case}");
    assert_eq!(listener.accepted().unwrap(), 0, "{case}");
}

/// The answer to a SYN that is sent again and the server's own timer make two copies of a SYN-ACK,
/// which cross the RST: that is no lost RST.
#[test]
fn lost_synacks_are_no_lost_rsts() {
    privileged!();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for family in Family::ALL {
        let lab = Lab::new().unwrap();
        let listener = lab.listen(family).unwrap();
        // The first answers only. A SYN that is overtaken by the RST opens a connection of its own; if
        // its answer were lost as well, nobody could tell that from a lost RST.
        let lost = lab.inject(&Fault::lost(Segment::SynAck).first(200)).unwrap();
        let probing = Probing {
            count: 500,
            concurrency: 500,
            ports: 30_000..=30_999,
            policy: PortPolicy::Rotate,
            ack_guard: true,
        };
        let told = run(&lab, listener.address(), &probing);
        let suspects: Vec<_> =
            told.timelines.iter().filter(|t| t.late_rsts().next().is_some()).collect();
        let case = format!("{family:?}: {:?}: {suspects:#?}", told.summary.verdicts);
        for verdict in [
            Verdict::RstLostSynackRetransmit,
            Verdict::RstLostPortReuse,
            Verdict::RstLostUnrecovered,
        ] {
            assert_eq!(told.summary.verdict(verdict), 0, "{case}");
        }
        assert_eq!(told.summary.outcome(Outcome::Alive), 500, "{case}");
        assert_eq!(lost.dropped().unwrap(), 200);
        assert_eq!(listener.accepted().unwrap(), 0, "{case}");
    }
}
