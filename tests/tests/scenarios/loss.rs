//! nftables drops RSTs at random and counts them: the agent must count the same, whatever it does
//! with its ports.

use std::thread;

use probe_agent::{
    explain::verdict::Verdict,
    lab::{Family, Fault, Lab, Segment},
    probe::{outcome::Outcome, settings::PortPolicy},
};
use probe_agent_tests::privileged;

use crate::run::{Probing, run};

const PROBES: u64 = 5_000;
const PERCENT: u8 = 5;

/// A port for every probe: only the server's own timer can find out (path A).
#[test]
fn rotated_ports() {
    privileged!();
    lost_rsts_are_counted(|| Probing {
        count: PROBES,
        concurrency: 64,
        ports: 30_000..=36_000,
        policy: PortPolicy::Rotate,
    });
}

/// A few ports, each used again long before the server's timer (path B).
#[test]
fn few_ports() {
    privileged!();
    lost_rsts_are_counted(|| Probing {
        count: PROBES,
        concurrency: 16,
        ports: 30_000..=30_063,
        policy: PortPolicy::Rotate,
    });
}

/// One port, used again at once (path B).
#[test]
fn one_port() {
    privileged!();
    lost_rsts_are_counted(|| Probing {
        count: PROBES,
        concurrency: 1,
        ports: 30_000..=30_000,
        policy: PortPolicy::Pin,
    });
}

fn lost_rsts_are_counted(probing: impl Fn() -> Probing + Sync) {
    thread::scope(|scope| {
        for family in Family::ALL {
            let probing = &probing;
            scope.spawn(move || over(family, &probing()));
        }
    });
}

fn over(family: Family, probing: &Probing) {
    let lab = Lab::new().unwrap();
    let listener = lab.listen(family).unwrap();
    let lost = lab.inject(&Fault::lost(Segment::FirstRst).percent(PERCENT)).unwrap();
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
    let case = format!("{family:?}: {:?}, {dropped} dropped", summary.verdicts);
    assert!(dropped > 0, "{case}");
    assert_eq!(a + b + unrecovered, dropped, "{case}");
    // Whoever met a leftover met one of those.
    assert_eq!(of(Verdict::StaleSynRecvChallengeAck), b, "{case}");
    for verdict in [Verdict::StaleSynRecvReset, Verdict::LateSynack, Verdict::SynRetransmitted] {
        assert_eq!(of(verdict), 0, "{case}");
    }
    assert_eq!(summary.probes, PROBES, "{case}");
    assert_eq!(summary.outcome(Outcome::Alive), PROBES, "{case}: {:?}", summary.outcomes);
    assert_eq!((summary.events_lost, summary.unsettled), (0, 0), "{case}");
    assert_eq!(listener.accepted().unwrap(), 0, "{case}");
}

/// A lost SYN-ACK makes two copies of it cross: that is no lost RST.
///
/// Only first SYN-ACKs are lost. Were those of the second round lost too, a SYN that was sent again
/// could reach the server after the RST and leave it in SYN_RECV anew: the client cannot tell that
/// from a lost RST.
#[test]
fn lost_synacks_are_no_lost_rsts() {
    privileged!();
    thread::scope(|scope| {
        for family in Family::ALL {
            scope.spawn(move || {
                let lab = Lab::new().unwrap();
                let listener = lab.listen(family).unwrap();
                let _lost = lab.inject(&Fault::lost(Segment::SynAck).first(100)).unwrap();
                let probing = Probing {
                    count: 500,
                    concurrency: 500,
                    ports: 30_000..=30_999,
                    policy: PortPolicy::Rotate,
                };
                let told = run(&lab, listener.address(), &probing);
                let case = format!("{family:?}: {:?}", told.summary.verdicts);
                for verdict in [
                    Verdict::RstLostSynackRetransmit,
                    Verdict::RstLostPortReuse,
                    Verdict::RstLostUnrecovered,
                ] {
                    assert_eq!(told.summary.verdict(verdict), 0, "{case}");
                }
                assert!(told.summary.verdict(Verdict::SynRetransmitted) > 0, "{case}");
                assert_eq!(listener.accepted().unwrap(), 0, "{case}");
            });
        }
    });
}
