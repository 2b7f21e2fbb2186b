//! What the verdicts say of a random world is what its network did.
//!
//! Two things cannot be known from the client's end, and are left out of the comparison: a lost RST
//! after which nothing more reached the client while its probe was followed, and what becomes of a
//! leftover that is met while a second copy of a SYN-ACK is just as likely.

use std::collections::BTreeSet;

use super::world::{Losses, MS, PROBES, World};
use crate::rules;
use model::verdict::{Proof, Verdict};

/// Compares verdicts and truth.
fn check(seed: u64, world: &World) -> Result<(), String> {
    if world.out.len() != PROBES as usize {
        return Err(format!("seed {seed}: {} of {PROBES} handed out", world.out.len()));
    }
    for timeline in &world.out {
        let generation = timeline.probe.id.generation;
        let judgements = rules::judge(timeline);
        let fail = |what: &str| {
            Err(format!("seed {seed}, probe {generation}: {what}\n{judgements:?}\n{timeline:#?}"))
        };
        let reported = judgements.iter().any(|j| match j.verdict {
            Verdict::RstLostUnrecovered
            | Verdict::RstLostSynackRetransmit
            | Verdict::RstLostPortReuse => true,
            Verdict::AckLeaked
            | Verdict::StaleSynRecvChallengeAck
            | Verdict::StaleSynRecvReset
            | Verdict::LateSynack
            | Verdict::SynRetransmitted
            | Verdict::Refused
            | Verdict::TimedOut
            | Verdict::Unreachable
            | Verdict::LocalError
            | Verdict::Clean => false,
        });
        let truth = &world.truth;
        let in_window =
            |at: &u64| (timeline.probe.started_at..=timeline.followed_until).contains(at);
        let blind = truth.events_lost_at.iter().any(in_window);
        if reported && !truth.lost.contains(&generation) {
            return fail("a RST is said to be lost that was not");
        }
        if !reported
            && truth.lost.contains(&generation)
            && truth.shown.contains(&generation)
            && !truth.ambiguous.contains(&generation)
            && truth.events_lost_at.is_empty()
        {
            return fail("a lost RST is missed");
        }
        let confirmed = judgements.iter().any(|j| j.proof == Proof::Confirmed);
        if blind && confirmed {
            return fail("confirmed, though events were lost in its window");
        }
        let names: BTreeSet<_> = judgements.iter().map(|j| j.verdict).collect();
        if names.len() != judgements.len() {
            return fail("a verdict is given twice");
        }
    }
    Ok(())
}

fn worlds(losses: Losses) {
    let (mut lost, mut reported) = (0, 0);
    for seed in 0..200 {
        let one_way = [35_000, 5 * MS, 150 * MS][seed as usize % 3];
        let world = World::run(seed, one_way, losses);
        lost += world.truth.lost.len();
        reported += world
            .out
            .iter()
            .filter(|t| t.later.is_some() || t.recoveries().next().is_some())
            .count();
        if let Err(failure) = check(seed, &world) {
            panic!("{failure}");
        }
    }
    // Most losses show: otherwise this would compare nothing.
    assert!(losses.event > 0 || reported * 10 >= lost * 7, "{reported} told of {lost}");
}

#[test]
fn only_first_rsts_are_lost_and_each_is_counted() {
    worlds(Losses { first_rst: 30, ..Losses::default() });
    // Nothing hides a loss here, so that the counts are equal.
    for seed in 0..50 {
        let world = World::run(seed, 35_000, Losses { first_rst: 30, ..Losses::default() });
        let reported =
            world.out.iter().filter(|t| rules::judge(t)[0].verdict <= Verdict::RstLostPortReuse);
        assert_eq!(reported.count(), world.truth.lost.len(), "seed {seed}");
    }
}

#[test]
fn second_rsts_are_lost_as_well() {
    worlds(Losses { first_rst: 30, recovery_rst: 40, ..Losses::default() });
}

#[test]
fn all_segments_are_lost_at_times() {
    worlds(Losses { syn: 15, syn_ack: 25, first_rst: 25, recovery_rst: 25, event: 0 });
}

#[test]
fn nothing_is_invented_where_only_syn_acks_are_lost() {
    worlds(Losses { syn: 10, syn_ack: 40, ..Losses::default() });
}

#[test]
fn events_are_lost_as_well() {
    worlds(Losses { syn: 5, syn_ack: 10, first_rst: 30, recovery_rst: 20, event: 20 });
}
