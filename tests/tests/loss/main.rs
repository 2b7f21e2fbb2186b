//! nftables drops RSTs at random and counts them: the agent must count the same with every port policy.
//!
//! One agent at a time: the kernel skips a tracepoint's program that would interrupt another one, and
//! each agent's programs run at every agent's events.

use std::sync::{Mutex, PoisonError};

use engine::settings::PortPolicy;
use explain::timeline::Coverage;
use lab::{Family, Fault, LabBuilder, Segment};
use model::{outcome::Outcome, verdict::Verdict};
use probe_agent_tests::{
    privileged,
    run::{Probing, run},
};

const PROBES: u64 = 5_000;
const PERCENT: u8 = 5;

/// Held by the test that runs.
static TURN: Mutex<()> = Mutex::new(());

/// A port for every probe: only the server's own timer reveals a lost RST (path A).
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
    let lost = Fault::lost(Segment::FirstRst).percent(PERCENT);
    let lab = LabBuilder::new(family).fault(lost).build().unwrap();
    let before = lab.lab().server().counters().unwrap();
    let found = run(lab.lab(), lab.address(), probing);
    let dropped = lab.hits().unwrap()[0];

    let summary = &found.summary;
    let of = |verdict| summary.verdict(verdict);
    let (a, b, unrecovered) = (
        of(Verdict::RstLostSynackRetransmit),
        of(Verdict::RstLostPortReuse),
        of(Verdict::RstLostUnrecovered),
    );
    let counters = lab.lab().server().counters().unwrap().since(&before);
    let case = format!("{family:?}: {summary:?}, {dropped} dropped, server counters {counters:?}");
    assert!(dropped > 0, "{case}");
    // The kernel may skip a hook. The agent must count that, and the difference is at most that count.
    assert!((a + b + unrecovered).abs_diff(dropped) <= summary.events_lost, "{case}");
    // Each stale connection that a probe met is one of those.
    assert_eq!(of(Verdict::StaleSynRecvChallengeAck), b, "{case}");
    for verdict in [Verdict::StaleSynRecvReset, Verdict::LateSynack, Verdict::SynRetransmitted] {
        assert_eq!(of(verdict), 0, "{case}");
    }
    assert_eq!(summary.probes, PROBES, "{case}");
    assert_eq!(summary.outcome(Outcome::Alive), PROBES, "{case}: {:?}", summary.outcomes);
    assert_eq!(summary.unsettled, 0, "{case}");
    let incomplete = found.timelines.iter().any(|t| t.coverage == Coverage::EventsLost);
    assert_eq!(incomplete, summary.events_lost > 0, "{case}");
    assert_eq!(lab.accepted().unwrap(), 0, "{case}");
}

/// The answer to a retransmitted SYN and the server's own timer make two copies of a SYN-ACK, which cross
/// the RST. That is no lost RST.
#[test]
fn lost_synacks_are_no_lost_rsts() {
    privileged!();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for family in Family::ALL {
        // The first answers only. A SYN that arrives after the RST opens a connection of its own. If its
        // answer were lost as well, that would look like a lost RST.
        let lost = Fault::lost(Segment::SynAck).first(200);
        let lab = LabBuilder::new(family).fault(lost).build().unwrap();
        let probing = Probing {
            count: 500,
            concurrency: 500,
            ports: 30_000..=30_999,
            policy: PortPolicy::Rotate,
            ack_guard: true,
        };
        let found = run(lab.lab(), lab.address(), &probing);
        let suspects: Vec<_> =
            found.timelines.iter().filter(|t| t.late_rsts().next().is_some()).collect();
        let case = format!("{family:?}: {:?}: {suspects:#?}", found.summary.verdicts);
        for verdict in [
            Verdict::RstLostSynackRetransmit,
            Verdict::RstLostPortReuse,
            Verdict::RstLostUnrecovered,
        ] {
            assert_eq!(found.summary.verdict(verdict), 0, "{case}");
        }
        assert_eq!(found.summary.outcome(Outcome::Alive), 500, "{case}");
        assert_eq!(lab.hits().unwrap(), [200]);
        assert_eq!(lab.accepted().unwrap(), 0, "{case}");
    }
}
