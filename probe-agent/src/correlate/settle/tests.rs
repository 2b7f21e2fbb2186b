//! That a peer which sends without end fills no memory. What becomes of probes: `explain/cases`.

use probe_agent_common::FlowKey;

use super::{MAX_EVENTS, Settling};
use crate::{
    correlate::timeline::Coverage,
    trace::event::{Event, FlowEvent, Happening, RstReason, TcpState},
};

fn event(at: u64, socket: Option<(u32, u32)>) -> FlowEvent {
    let state = socket.map(|_| TcpState::SynSent);
    let what = Happening::RstSent { socket: state, reason: RstReason::NONE };
    FlowEvent { flow: FlowKey::default(), socket, event: Event { at, what } }
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
