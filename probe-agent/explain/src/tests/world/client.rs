//! The client: one probe at a time from one port (`tcp_rcv_synsent_state_process`), and a kernel that
//! answers segments without a socket with a RST.

use probe_agent_common::{FlowKey, SlotRecord};

use super::{Action, MS, PROBES, Segment, TIMEOUT, World, network::synack_seq};
use crate::correlator::EndedProbe;
use model::{
    event::{EventKind, RstReason, TcpState},
    fixtures,
    outcome::Outcome,
    packet_drop::{DropPlace, DropReason},
    record::{Closing, ProbeId, ProbeRecord},
};

/// The probe in `SYN_SENT`.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) generation: u32,
    pub(super) syn_at: u64,
    pub(super) retransmits: u32,
    pub(super) record: SlotRecord,
    /// Whose SYN-ACK was accepted.
    server: usize,
}

impl World {
    pub(super) fn start(&mut self) {
        self.started += 1;
        let generation = self.started;
        // Each probe's initial sequence number is another.
        let syn_end = generation * 1_000;
        let record =
            SlotRecord { syn_sent_at: self.now, generation, syn_end, ..SlotRecord::default() };
        self.client =
            Some(Open { generation, syn_at: self.now, retransmits: 0, record, server: 0 });
        if self.happens(self.faults.foreign) {
            self.leave_foreign(100_000 + generation);
        }
        if self.happens(self.faults.noise) {
            let delay = self.random(2_500 * MS);
            self.after(delay, Action::Noise);
        }
        self.send(Segment::Syn { of: generation, server: 0 });
        self.after(1_000 * MS + 1, Action::SynTimer(generation, 0));
        self.after(TIMEOUT, Action::GiveUp(generation));
    }

    pub(super) fn at_client(&mut self, segment: Segment) {
        let expected = self.client.as_ref().map(|c| c.generation);
        let (of, server) = match segment {
            Segment::SynAck { of, echo, server, is_proxy, .. } if expected == Some(of) => {
                self.copies_until.insert(of, self.copies_until());
                if let Some(open) = &mut self.client {
                    open.record.round_trip = ((self.now - echo) / 1_000) as u32;
                    open.record.synack_flags = 0x12;
                    open.record.synack_window = if is_proxy { 0 } else { 65_160 };
                    open.server = server;
                }
                self.end(Outcome::Alive, Closing::Reset, self.now);
                self.send(Segment::Rst { of, first: true, server });
                return;
            }
            Segment::TargetRst { of, .. } if expected == Some(of) => {
                self.report(EventKind::RstReceived);
                self.end(Outcome::Refused, Closing::ByKernel, 0);
                return;
            }
            Segment::TargetRst { .. } => {
                let reason = DropReason::NO_SOCKET;
                self.report_dropped(segment, DropPlace::OurNetns, reason);
                return;
            }
            Segment::SynAck { of, server, .. } | Segment::Challenge { of, server } => (of, server),
            Segment::Syn { .. } | Segment::Rst { .. } => return,
        };
        self.record_what_it_shows(segment, of);
        let answers = Some(segment.header());
        match expected {
            None => {
                let reason = RstReason::NO_SOCKET;
                self.report(EventKind::RstSent { socket: None, reason, answers });
            }
            Some(generation) => {
                let socket = Some(TcpState::SynSent);
                let reason = RstReason::INVALID_ACK;
                self.report(EventKind::RstSent { socket, reason, answers });
                if self.client.as_ref().is_some_and(|c| c.retransmits == 0) {
                    self.after(8 * MS, Action::SynTimer(generation, 0));
                }
            }
        }
        self.send(Segment::Rst { of, first: false, server });
    }

    /// After a SYN retransmit, by the timer or at once after a stale reply: until when a second copy of
    /// the SYN-ACK may arrive.
    fn copies_until(&self) -> u64 {
        let Some(open) = self.client.as_ref().filter(|c| c.retransmits > 0) else { return 0 };
        let handshake = self.now - open.syn_at;
        if handshake >= 900 * MS {
            self.now + 2 * self.one_way + 250 * MS
        } else {
            self.now + handshake + 10 * MS
        }
    }

    /// Records whether this segment shows the client that the first RST of probe `of` was lost. Once that
    /// probe is no longer followed, or another one timed out in between, it could be any probe's.
    fn record_what_it_shows(&mut self, segment: Segment, of: u32) {
        let after_the_rst = match segment {
            Segment::SynAck { sent, .. } => {
                self.truth.arrives.get(&of).is_some_and(|arrives| sent > *arrives)
            }
            Segment::Challenge { .. } => true,
            Segment::Syn { .. } | Segment::Rst { .. } | Segment::TargetRst { .. } => false,
        };
        let newest = self.correlator.newest(&FlowKey::default());
        if after_the_rst && newest.is_some_and(|id| id.generation == of) {
            self.truth.shown.insert(of);
        }
        if self.copies_until.get(&of).is_some_and(|until| self.now < *until) {
            self.truth.ambiguous.insert(of);
        }
    }

    pub(super) fn syn_timer(&mut self, generation: u32, nth: u32) {
        let Some(open) = &mut self.client else { return };
        if open.generation != generation || open.retransmits != nth {
            return;
        }
        open.retransmits += 1;
        let (next, syn_at) = (open.retransmits, open.syn_at);
        // Not where the first one holds what an earlier probe left: that is a documented limit.
        let holds_other = self.servers[0].as_ref().is_some_and(|r| r.of != generation);
        let may_change = !holds_other && self.now >= syn_at + 900 * MS;
        let server = usize::from(may_change && self.happens(self.faults.other_server));
        // The hook runs after the transmission.
        let error =
            if self.send(Segment::Syn { of: generation, server }) { -libc::EPERM } else { 0 };
        self.report(EventKind::SynRetransmit { error });
        self.after(1_000 * MS + 1, Action::SynTimer(generation, next));
    }

    pub(super) fn end(&mut self, outcome: Outcome, closing: Closing, answered_at: u64) {
        let Some(open) = self.client.take() else { return };
        self.now += 10;
        let rst_sent_at = if closing == Closing::Reset { self.now } else { 0 };
        let kernel = SlotRecord {
            established_at: answered_at,
            closed_at: self.now,
            rst_sent_at,
            synack_end: if answered_at == 0 {
                0
            } else {
                synack_seq(open.generation, open.server) + 1
            },
            ..open.record
        };
        let record = ProbeRecord {
            id: ProbeId { slot: 1, generation: open.generation },
            flow: FlowKey::default(),
            closing,
            started_at: open.syn_at,
            ended_at: self.now,
            answered_at,
            kernel: Some(kernel),
            ..fixtures::probe_record(outcome, open.syn_at)
        };
        self.correlator.on_probe_end(EndedProbe {
            record,
            lost_before: 0,
            awaits_confirmation: false,
        });
        if self.started < PROBES {
            let gap = match self.random(5) {
                0 => 1_000,
                1 => self.random(40 * MS),
                2 => self.random(1_200 * MS),
                3 => 1_700 * MS,
                _ => 5_000 * MS,
            };
            self.after(gap, Action::Start);
        }
    }
}
