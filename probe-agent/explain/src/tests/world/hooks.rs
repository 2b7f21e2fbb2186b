//! The hooks and their reader: events get lost and arrive late.

use probe_agent_common::FlowKey;

use super::{Action, MS, PROBES, Segment, World};
use crate::{correlator::Observed, timeline::Coverage};
use model::{
    event::{Event, EventKind, FlowEvent, RstReason},
    packet_drop::{DropPlace, DropReason},
};

impl World {
    /// A hook fires.
    pub(super) fn report(&mut self, kind: EventKind) {
        let lost = self.random(100) < self.faults.event;
        self.now += 1;
        let socketless = !kind.has_socket();
        let is_rst = matches!(kind, EventKind::RstSent { .. });
        if self.coverage == Coverage::SocketsOnly && socketless && is_rst {
            return;
        }
        let open = self.client.as_mut().filter(|_| !socketless);
        let socket = open.as_ref().map(|c| (1, c.generation));
        if let Some(open) = open {
            open.record.events += 1;
            open.record.events_lost += u32::from(lost);
        }
        if lost {
            if socket.is_none() {
                self.last_loss = self.now;
            }
            self.truth.events_lost.push((self.now, socket.map(|(_, generation)| generation)));
        } else {
            let event = Event { at: self.now, kind };
            self.ring.push_back(FlowEvent { flow: FlowKey::default(), socket, event });
        }
    }

    /// Other connections on the same addresses and ports: one that this host has forgotten, and one in another
    /// network namespace.
    pub(super) fn noise(&mut self) {
        let of = 200_000 + self.started;
        let ack = Segment::Challenge { of, server: 0 };
        let synack = Segment::SynAck { of, sent: self.now, echo: 0, server: 0, is_proxy: false };
        match self.random(5) {
            0 if self.client.is_none() => {
                let (reason, answers) = (RstReason::NO_SOCKET, Some(ack.header()));
                self.report(EventKind::RstSent { socket: None, reason, answers });
            }
            1 if self.client.is_none() => {
                let (reason, answers) = (RstReason::NO_SOCKET, Some(synack.header()));
                self.report(EventKind::RstSent { socket: None, reason, answers });
            }
            0..=2 => self.report(EventKind::SynAckRetransmit { segment: Some(synack.header()) }),
            3 => self.report_dropped(synack, DropPlace::OurNetns, DropReason::NETFILTER),
            _ => {
                let rst = Segment::Rst { of, first: true, server: 0 };
                self.report_dropped(rst, DropPlace::OtherNetns, DropReason::NETFILTER);
            }
        }
    }

    /// The engine takes the reader's events: late, and sometimes more than the watermark promises.
    pub(super) fn tick(&mut self) {
        let seen_until = self.now.saturating_sub(self.random(30) * MS);
        let ahead = if self.random(2) == 0 { self.now } else { seen_until };
        let count = self.ring.iter().take_while(|event| event.event.at <= ahead).count();
        let observed = Observed { until: seen_until, lost: 0 };
        let in_flight = self.client.is_some();
        let events = self.ring.drain(..count);
        let before = self.out.len();
        self.correlator.on_time(events, observed, |_| in_flight, &mut self.out);
        // As the engine does, which knows the slots that lost events without a socket.
        for timeline in &mut self.out[before..] {
            if self.last_loss >= timeline.probe.syn_at() {
                timeline.set_events_lost();
            }
        }
        let idle = self.started == PROBES && self.client.is_none() && self.correlator.is_empty();
        if !idle && self.now < 10_000_000 * MS {
            self.after(25 * MS, Action::Tick);
        }
    }
}
