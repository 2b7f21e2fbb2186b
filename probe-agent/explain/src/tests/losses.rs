//! The verdicts agree with what a simulated network did to the segments.
//!
//! The comparison leaves out what the client's end cannot know: a lost RST after which nothing reached the
//! client while its probe was followed, and a stale connection that was met while a second copy of a
//! SYN-ACK was just as likely.

use std::collections::BTreeSet;

use super::world::{Faults, MS, PROBES, World};
use crate::rules;
use model::verdict::{Proof, Verdict};

/// Compares the verdicts with the truth.
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
            | Verdict::LocalDrop
            | Verdict::ChallengeAck
            | Verdict::TargetReset
            | Verdict::SimultaneousOpen
            | Verdict::Clean => false,
        });
        let truth = &world.truth;
        // A lost event of its own, or one that no socket took part in, matters to any verdict; one of a later
        // probe matters only where silence is the proof.
        let by_silence = judgements.iter().any(|j| j.verdict == Verdict::Clean);
        let by_silence = by_silence && !timeline.reused_cleanly;
        let concerns = |(at, of): &(u64, Option<u32>)| {
            let in_window = (timeline.probe.started_at..=timeline.followed_until).contains(at);
            in_window && (by_silence || of.is_none_or(|of| of == generation))
        };
        let blind = truth.events_lost.iter().any(concerns);
        if reported && !truth.lost.contains(&generation) {
            return fail("a RST is judged lost that was not");
        }
        if !reported
            && truth.lost.contains(&generation)
            && truth.shown.contains(&generation)
            && !truth.ambiguous.contains(&generation)
            && truth.events_lost.is_empty()
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

fn worlds(faults: Faults) {
    let (mut lost, mut reported) = (0, 0);
    for seed in 0..200 {
        let one_way = [35_000, 5 * MS, 150 * MS][seed as usize % 3];
        let world = World::run(seed, one_way, faults);
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
    // Without visible losses there would be nothing to compare.
    assert!(faults.event > 0 || reported * 10 >= lost * 7, "{reported} reported of {lost}");
}

#[test]
fn each_lost_first_rst_is_counted() {
    worlds(Faults { first_rst: 30, ..Faults::default() });
    // Nothing hides a loss here, so the counts are equal.
    for seed in 0..50 {
        let world = World::run(seed, 35_000, Faults { first_rst: 30, ..Faults::default() });
        let reported =
            world.out.iter().filter(|t| rules::judge(t)[0].verdict <= Verdict::RstLostPortReuse);
        assert_eq!(reported.count(), world.truth.lost.len(), "seed {seed}");
    }
}

#[test]
fn second_rsts_may_be_lost_too() {
    worlds(Faults { first_rst: 30, recovery_rst: 40, ..Faults::default() });
}

#[test]
fn any_segment_may_be_lost() {
    worlds(Faults { syn: 15, syn_ack: 25, first_rst: 25, recovery_rst: 25, ..Faults::default() });
}

#[test]
fn lost_syn_acks_are_not_taken_for_lost_rsts() {
    worlds(Faults { syn: 10, syn_ack: 40, ..Faults::default() });
}

#[test]
fn events_may_be_lost_too() {
    worlds(Faults {
        syn: 5,
        syn_ack: 10,
        first_rst: 30,
        recovery_rst: 20,
        event: 20,
        ..Faults::default()
    });
}
