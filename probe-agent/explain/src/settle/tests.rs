//! That a peer which sends without end fills no memory, and that where a slot's last probe waited is
//! no more than a hint. What becomes of probes: `explain/cases`.

use probe_agent_common::FlowKey;

use super::{MAX_EVENTS, PendingRef, Settling};
use crate::timeline::Coverage;
use model::{
    event::{Event, EventKind, FlowEvent, RstReason, TcpState},
    outcome::Outcome,
    record::{Closing, HalfOpen, ProbeId, ProbeRecord, StateHook},
    target::TargetId,
};

fn event(at: u64, socket: Option<(u32, u32)>) -> FlowEvent {
    let state = socket.map(|_| TcpState::SynSent);
    let kind = EventKind::RstSent { socket: state, reason: RstReason::NONE };
    FlowEvent { flow: FlowKey::default(), socket, event: Event { at, kind } }
}

#[test]
fn a_flood_for_an_open_probe_is_bounded_and_counted() {
    let mut settling = Settling::new(1, Coverage::Full);
    for at in 0..MAX_EVENTS as u64 + 3 {
        settling.event(&event(at, Some((1, 1))));
    }
    assert_eq!(settling.strays(), 3);
}

#[test]
fn what_comes_for_settled_probes_is_no_loss() {
    let mut settling = Settling::new(1, Coverage::Full);
    for at in 0..100_000 {
        settling.event(&event(at, None));
    }
    assert_eq!(settling.strays(), 0);
    assert!(settling.orphans.len() <= 4096);
}

/// The 4-tuple of one slot and one of many targets.
fn tuple(target: u16) -> FlowKey {
    FlowKey { remote_port: target, ..FlowKey::default() }
}

/// A probe has timed out at a time, in nanoseconds.
fn ended(settling: &mut Settling, target: u16, at: u64) -> PendingRef {
    let record = ProbeRecord {
        id: ProbeId { slot: 1, generation: at as u32 },
        target: TargetId(target.into()),
        flow: tuple(target),
        outcome: Outcome::TimedOut,
        errno: 0,
        closing: Closing::Silent,
        started_at: at,
        ended_at: at,
        answered_at: 0,
        kernel: None,
        state_hook: StateHook::Tracepoint,
        tcp_info: None,
        fresh_socket: false,
        early_reuse: false,
        half_open: HalfOpen::Enforced,
        confirms: None,
    };
    settling.ended(record, 0, false)
}

/// The targets of the probes that are settled by a time.
fn settled(settling: &mut Settling, at: u64) -> Vec<u32> {
    let mut out = Vec::new();
    settling.settle(at, 0, &mut out);
    out.iter().map(|timeline| timeline.probe.target.0).collect()
}

#[test]
fn a_probe_of_another_target_holds_nobody() {
    let mut settling = Settling::new(10, Coverage::Full);
    let place = ended(&mut settling, 1, 5);
    settling.starting(&tuple(2), Some(place));
    assert_eq!(settled(&mut settling, 15), [1]);
}

#[test]
fn a_place_that_another_has_now_is_not_taken_for_the_first() {
    let mut settling = Settling::new(10, Coverage::Full);
    let place = ended(&mut settling, 1, 5);
    assert_eq!(settled(&mut settling, 15), [1]);
    assert_eq!(ended(&mut settling, 2, 20).index, place.index);
    settling.starting(&tuple(1), Some(place));
    assert_eq!(settled(&mut settling, 30), [2]);
}

#[test]
fn a_probe_of_the_same_target_holds_the_one_before_by_place_and_without() {
    for hint in [true, false] {
        let mut settling = Settling::new(10, Coverage::Full);
        let place = ended(&mut settling, 1, 5);
        settling.starting(&tuple(1), Some(place).filter(|_| hint));
        assert_eq!(settled(&mut settling, 15), [0_u32; 0]);
    }
}
