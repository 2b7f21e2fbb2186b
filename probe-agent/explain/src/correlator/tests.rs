//! Bounds, and who waits for whom. The verdicts of whole scenarios are in `cases/`.

use probe_agent_common::{FlowKey, SlotRecord};

use super::{Correlator, EndedProbe, MAX_EVENTS, Observed};
use crate::{timeline::Coverage, timers::SYNACK_SLACK};
use model::{
    event::{Event, EventKind, FlowEvent, RstReason, TcpState},
    fixtures,
    outcome::Outcome,
    record::{Closing, ProbeId, ProbeRecord},
    target::TargetId,
};

fn event(at: u64, socket: Option<(u32, u32)>) -> FlowEvent {
    let state = socket.map(|_| TcpState::SynSent);
    let kind = EventKind::RstSent { socket: state, reason: RstReason::NONE, answers: None };
    FlowEvent { flow: FlowKey::default(), socket, event: Event { at, kind } }
}

fn correlator(window: u64) -> Correlator {
    Correlator::new(window, Coverage::Full)
}

/// Time passes, with these events and without a probe in flight.
fn on_events(correlator: &mut Correlator, events: impl Iterator<Item = FlowEvent>) {
    correlator.on_time(events, Observed { until: 0, lost: 0 }, |_| false, &mut Vec::new());
}

#[test]
fn a_flood_for_an_open_probe_is_bounded_and_counted() {
    let mut correlator = correlator(1);
    on_events(&mut correlator, (0..MAX_EVENTS as u64 + 3).map(|at| event(at, Some((1, 1)))));
    assert_eq!(correlator.dropped_events(), 3);
}

#[test]
fn dropped_events_make_their_own_probe_incomplete_and_no_other() {
    let mut correlator = correlator(1);
    on_events(&mut correlator, (0..=MAX_EVENTS as u64).map(|at| event(at, Some((1, 5)))));
    for (slot, generation) in [(1, 5), (2, 5)] {
        let kernel = SlotRecord { generation, closed_at: 5, ..SlotRecord::default() };
        let id = ProbeId { slot, generation };
        let record = ProbeRecord { id, kernel: Some(kernel), ..timed_out(1, 5) };
        correlator.on_probe_end(EndedProbe { record, lost_before: 0, awaits_confirmation: false });
    }
    let mut out = Vec::new();
    correlator.flush(Observed { until: 5, lost: 0 }, &mut out);
    let coverage: Vec<Coverage> = out.iter().map(|timeline| timeline.coverage).collect();
    assert_eq!(coverage, [Coverage::EventsLost, Coverage::Full]);
}

/// The record of the kernel counts it, so that nobody else needs to know.
#[test]
fn an_event_lost_on_its_way_makes_its_own_probe_incomplete_and_no_other() {
    let mut correlator = correlator(1);
    for (slot, events_lost) in [(1, 1), (2, 0)] {
        let kernel = SlotRecord {
            generation: 5,
            closed_at: 5,
            events: events_lost,
            events_lost,
            ..SlotRecord::default()
        };
        let id = ProbeId { slot, generation: 5 };
        let record = ProbeRecord { id, kernel: Some(kernel), ..timed_out(slot as u16, 5) };
        correlator.on_probe_end(EndedProbe { record, lost_before: 0, awaits_confirmation: false });
    }
    let mut out = Vec::new();
    correlator.flush(Observed { until: 5, lost: 0 }, &mut out);
    let coverage: Vec<Coverage> = out.iter().map(|timeline| timeline.coverage).collect();
    assert_eq!(coverage, [Coverage::EventsLost, Coverage::Full]);
}

#[test]
fn a_probe_that_nothing_observes_has_no_events_to_lose() {
    let mut correlator = Correlator::new(1, Coverage::None);
    end(&mut correlator, timed_out(1, 5));
    let mut out = Vec::new();
    correlator.flush(Observed { until: 5, lost: 0 }, &mut out);
    for timeline in &mut out {
        timeline.set_events_lost();
        assert_eq!(timeline.coverage, Coverage::None);
    }
    assert_eq!(out.len(), 1);
}

#[test]
fn events_of_settled_probes_are_no_loss() {
    let mut correlator = correlator(1);
    on_events(&mut correlator, (0..100_000).map(|at| event(at, None)));
    assert_eq!(correlator.dropped_events(), 0);
    assert!(correlator.early.len() <= 4096);
}

/// The 4-tuple of one slot and one of many targets.
fn tuple(target: u16) -> FlowKey {
    FlowKey { remote_port: target, ..FlowKey::default() }
}

/// The record of a probe that timed out at a time, in nanoseconds.
fn timed_out(target: u16, at: u64) -> ProbeRecord {
    ProbeRecord {
        id: ProbeId { slot: 1, generation: at as u32 },
        target: TargetId(target.into()),
        flow: tuple(target),
        started_at: at,
        ended_at: at,
        kernel: None,
        ..fixtures::probe_record(Outcome::TimedOut, at)
    }
}

fn end(correlator: &mut Correlator, record: ProbeRecord) {
    correlator.on_probe_end(EndedProbe { record, lost_before: 0, awaits_confirmation: false });
}

/// When the probes that are settled by a time ended, while one is in flight on a 4-tuple.
fn settled(correlator: &mut Correlator, until: u64, in_flight: Option<FlowKey>) -> Vec<u64> {
    let mut out = Vec::new();
    let is_in_flight = |probe: &ProbeRecord| Some(probe.flow) == in_flight;
    correlator.on_time([], Observed { until, lost: 0 }, is_in_flight, &mut out);
    out.iter().map(|timeline| timeline.probe.ended_at).collect()
}

#[test]
fn a_probe_waits_for_the_one_in_flight_on_its_4_tuple() {
    let mut correlator = correlator(10);
    end(&mut correlator, timed_out(1, 5));
    assert_eq!(settled(&mut correlator, 15, Some(tuple(1))), [0_u64; 0]);
    assert_eq!(settled(&mut correlator, 15 + SYNACK_SLACK, None), [5]);
}

#[test]
fn a_probe_waits_for_no_other_4_tuple() {
    let mut correlator = correlator(10);
    end(&mut correlator, timed_out(1, 5));
    assert_eq!(settled(&mut correlator, 15, Some(tuple(2))), [5]);
}

#[test]
fn a_refused_probe_leaves_the_decision_to_the_next_one() {
    let mut correlator = correlator(10);
    end(&mut correlator, timed_out(1, 5));
    let refused =
        ProbeRecord { outcome: Outcome::Refused, closing: Closing::ByKernel, ..timed_out(1, 7) };
    end(&mut correlator, refused);
    assert_eq!(settled(&mut correlator, 15, Some(tuple(1))), [0_u64; 0]);
    assert_eq!(settled(&mut correlator, 15 + SYNACK_SLACK, None), [5, 7]);
}

#[test]
fn a_probe_whose_successor_is_settled_waits_for_nothing_more() {
    let mut correlator = correlator(10);
    // The first probe waits for its confirmation probe, so the second one is settled before it.
    let record = timed_out(1, 5);
    correlator.on_probe_end(EndedProbe { record, lost_before: 0, awaits_confirmation: true });
    end(&mut correlator, timed_out(1, 7));
    assert_eq!(settled(&mut correlator, 17, None), [7]);
    let confirms = Some(timed_out(1, 5).id);
    end(&mut correlator, ProbeRecord { confirms, ..timed_out(2, 30) });
    assert_eq!(settled(&mut correlator, 35, Some(tuple(1))), [5]);
}
