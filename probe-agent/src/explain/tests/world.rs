//! A client and a server on a network that loses segments at random, and a kernel that reports
//! late.
//!
//! Both ends follow Linux: `tcp_rcv_synsent_state_process` and the RST without a socket at the
//! client; `tcp_check_req` and `reqsk_timer_handler` at the server.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
};

use probe_agent_common::{FlowKey, SlotRecord};

use crate::{
    correlate::{
        settle::Settling,
        timeline::{Coverage, Timeline},
    },
    probe::{
        outcome::Outcome,
        record::{Closing, HalfOpen, ProbeId, ProbeRecord},
        target::TargetId,
    },
    trace::event::{Event, FlowEvent, Happening, RstReason, TcpState},
};

pub(super) const MS: u64 = 1_000_000;
const WINDOW: u64 = 1_500 * MS;
const TIMEOUT: u64 = 3_500 * MS;
pub(super) const PROBES: u32 = 30;

/// Losses, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    pub(super) syn: u64,
    pub(super) syn_ack: u64,
    pub(super) first_rst: u64,
    pub(super) recovery_rst: u64,
    /// Of events, between the hook and the reader.
    pub(super) event: u64,
}

/// What is on the wire. The number is the probe whose SYN it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Syn(u32),
    SynAck { of: u32, sent: u64 },
    Challenge(u32),
    Rst { of: u32, first: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Start,
    ToServer(Segment),
    ToClient(Segment),
    ServerTimer(u64),
    SynTimer(u32, u32),
    GiveUp(u32),
    Tick,
}

/// A request socket.
#[derive(Debug)]
struct Request {
    of: u32,
    timeouts: u32,
    timer: u64,
    last_challenge: u64,
}

/// The probe in `SYN_SENT`.
#[derive(Debug)]
struct Open {
    generation: u32,
    syn_at: u64,
    retransmits: u32,
    record: SlotRecord,
}

#[derive(Debug, Default)]
pub(super) struct Truth {
    /// First RSTs that the network lost.
    pub(super) lost: BTreeSet<u32>,
    /// When the RST would have reached the server.
    arrives: BTreeMap<u32, u64>,
    /// Of those, the ones of which the client was told something.
    pub(super) shown: BTreeSet<u32>,
    /// Leftovers that were met while a second copy was as likely.
    pub(super) ambiguous: BTreeSet<u32>,
    /// When an event was lost.
    pub(super) events_lost_at: Vec<u64>,
}

pub(super) struct World {
    seed: u64,
    now: u64,
    order: u64,
    one_way: u64,
    losses: Losses,
    queue: BinaryHeap<Reverse<(u64, u64, What)>>,
    server: Option<Request>,
    client: Option<Open>,
    started: u32,
    settling: Settling,
    ring: VecDeque<FlowEvent>,
    events_lost: u64,
    lost_before: u64,
    pub(super) truth: Truth,
    /// Until when a second copy of the SYN-ACK of each probe may be on its way.
    copies_until: BTreeMap<u32, u64>,
    pub(super) out: Vec<Timeline>,
}

impl World {
    pub(super) fn run(seed: u64, one_way: u64, losses: Losses) -> Self {
        let mut world = Self {
            seed,
            now: 10_000 * MS,
            order: 0,
            one_way,
            losses,
            queue: BinaryHeap::new(),
            server: None,
            client: None,
            started: 0,
            settling: Settling::new(WINDOW, Coverage::Full),
            ring: VecDeque::new(),
            events_lost: 0,
            lost_before: 0,
            truth: Truth::default(),
            copies_until: BTreeMap::new(),
            out: Vec::new(),
        };
        world.after(0, What::Start);
        world.after(0, What::Tick);
        while let Some(Reverse((at, _, what))) = world.queue.pop() {
            // A kernel that is busy does things later than they arrive.
            world.now = world.now.max(at);
            world.step(what);
        }
        world
    }

    /// splitmix64.
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn after(&mut self, delay: u64, what: What) {
        self.order += 1;
        self.queue.push(Reverse((self.now + delay, self.order, what)));
    }

    fn step(&mut self, what: What) {
        match what {
            What::Start => self.start(),
            What::ToServer(segment) => self.at_server(segment),
            What::ToClient(segment) => self.at_client(segment),
            What::ServerTimer(timer) => self.server_timer(timer),
            What::SynTimer(generation, nth) => self.syn_timer(generation, nth),
            What::GiveUp(generation) => {
                if self.client.as_ref().is_some_and(|c| c.generation == generation) {
                    self.end(Outcome::TimedOut, Closing::Silent, 0);
                }
            }
            What::Tick => self.tick(),
        }
    }

    fn start(&mut self) {
        self.started += 1;
        let generation = self.started;
        self.settling.starting(&FlowKey::default());
        self.lost_before = self.events_lost + self.settling.strays();
        let record = SlotRecord { syn_sent_at: self.now, generation, ..SlotRecord::default() };
        self.client = Some(Open { generation, syn_at: self.now, retransmits: 0, record });
        self.send(Segment::Syn(generation));
        self.after(1_000 * MS + 1, What::SynTimer(generation, 0));
        self.after(TIMEOUT, What::GiveUp(generation));
    }

    /// From either end; what the network loses goes nowhere.
    fn send(&mut self, segment: Segment) {
        let (percent, to) = match segment {
            Segment::Syn(_) => (self.losses.syn, What::ToServer(segment)),
            Segment::Rst { first: true, .. } => (self.losses.first_rst, What::ToServer(segment)),
            Segment::Rst { .. } => (self.losses.recovery_rst, What::ToServer(segment)),
            Segment::SynAck { .. } | Segment::Challenge(_) => {
                (self.losses.syn_ack, What::ToClient(segment))
            }
        };
        let lost = self.random(100) < percent;
        if let Segment::Rst { of, first: true } = segment {
            self.truth.arrives.insert(of, self.now + self.one_way);
            if lost {
                self.truth.lost.insert(of);
            }
        }
        if !lost {
            self.after(self.one_way, to);
        }
    }

    /// `tcp_conn_request` and `tcp_check_req`.
    fn at_server(&mut self, segment: Segment) {
        let now = self.now;
        match (segment, &mut self.server) {
            (Segment::Syn(of), None) => {
                self.server = Some(Request { of, timeouts: 0, timer: 0, last_challenge: 0 });
                self.answer();
            }
            (Segment::Syn(of), Some(request)) if request.of == of => self.answer(),
            (Segment::Syn(_), Some(request)) => {
                if request.last_challenge == 0 || now - request.last_challenge >= 500 * MS {
                    request.last_challenge = now;
                    let of = request.of;
                    self.send(Segment::Challenge(of));
                }
            }
            (Segment::Rst { of, .. }, Some(request)) if request.of == of => self.server = None,
            (Segment::Rst { .. } | Segment::SynAck { .. } | Segment::Challenge(_), _) => {}
        }
    }

    /// Sends the SYN-ACK and winds up its timer.
    fn answer(&mut self) {
        let grain = self.random(60) * MS;
        let order = self.order;
        let Some(request) = &mut self.server else { return };
        request.timer = order;
        let (of, delay) = (request.of, (1_000 * MS) << request.timeouts);
        self.send(Segment::SynAck { of, sent: self.now });
        self.after(delay + grain, What::ServerTimer(order));
    }

    /// `reqsk_timer_handler`.
    fn server_timer(&mut self, timer: u64) {
        let Some(request) = self.server.as_mut().filter(|r| r.timer == timer) else { return };
        request.timeouts += 1;
        if request.timeouts > 5 {
            self.server = None;
        } else {
            self.answer();
        }
    }

    fn at_client(&mut self, segment: Segment) {
        let (Segment::SynAck { of, .. } | Segment::Challenge(of)) = segment else { return };
        let expected = self.client.as_ref().map(|c| c.generation);
        let acceptable = matches!(segment, Segment::SynAck { .. }) && expected == Some(of);
        if acceptable {
            self.copies_until.insert(of, self.copies_until());
            self.end(Outcome::Alive, Closing::Reset, self.now);
            self.send(Segment::Rst { of, first: true });
            return;
        }
        self.note_what_it_shows(segment, of);
        match expected {
            None => {
                let reason = RstReason::NO_SOCKET;
                self.report(Happening::RstSent { socket: None, reason });
            }
            Some(generation) => {
                let socket = Some(TcpState::SynSent);
                self.report(Happening::RstSent { socket, reason: RstReason::INVALID_ACK });
                if self.client.as_ref().is_some_and(|c| c.retransmits == 0) {
                    self.after(8 * MS, What::SynTimer(generation, 0));
                }
            }
        }
        self.send(Segment::Rst { of, first: false });
    }

    /// The SYN was sent again: by its timer, or at once because it had met something.
    fn copies_until(&self) -> u64 {
        let Some(open) = self.client.as_ref().filter(|c| c.retransmits > 0) else { return 0 };
        let handshake = self.now - open.syn_at;
        if handshake >= 900 * MS {
            self.now + 2 * self.one_way + 250 * MS
        } else {
            self.now + handshake + 10 * MS
        }
    }

    /// Whether the client can know from this that the first RST of probe `of` was lost. What comes
    /// when that probe is not followed any more, or beyond one that timed out, could be anybody's.
    fn note_what_it_shows(&mut self, segment: Segment, of: u32) {
        let after_the_rst = match segment {
            Segment::SynAck { sent, .. } => {
                self.truth.arrives.get(&of).is_some_and(|arrives| sent > *arrives)
            }
            Segment::Challenge(_) => true,
            Segment::Syn(_) | Segment::Rst { .. } => false,
        };
        let newest = self.settling.unsettled(&FlowKey::default());
        if after_the_rst && newest.is_some_and(|(id, _)| id.generation == of) {
            self.truth.shown.insert(of);
        }
        if self.copies_until.get(&of).is_some_and(|until| self.now < *until) {
            self.truth.ambiguous.insert(of);
        }
    }

    fn syn_timer(&mut self, generation: u32, nth: u32) {
        let Some(open) = &mut self.client else { return };
        if open.generation != generation || open.retransmits != nth {
            return;
        }
        open.retransmits += 1;
        let next = open.retransmits;
        self.report(Happening::SynRetransmit { error: 0 });
        self.send(Segment::Syn(generation));
        self.after(1_000 * MS + 1, What::SynTimer(generation, next));
    }

    /// A hook fires.
    fn report(&mut self, what: Happening) {
        let lost = self.random(100) < self.losses.event;
        self.now += 1;
        let socketless = matches!(what, Happening::RstSent { socket: None, .. });
        let open = self.client.as_mut().filter(|_| !socketless);
        let socket = open.as_ref().map(|c| (1, c.generation));
        if let Some(open) = open {
            open.record.events += 1;
            open.record.events_lost += u32::from(lost);
        }
        if lost {
            self.events_lost += 1;
            self.truth.events_lost_at.push(self.now);
        } else {
            let event = Event { at: self.now, what };
            self.ring.push_back(FlowEvent { flow: FlowKey::default(), socket, event });
        }
    }

    fn end(&mut self, outcome: Outcome, closing: Closing, answered_at: u64) {
        let Some(open) = self.client.take() else { return };
        self.now += 10;
        let rst_sent_at = if closing == Closing::Reset { self.now } else { 0 };
        let kernel = SlotRecord {
            established_at: answered_at,
            closed_at: self.now,
            rst_sent_at,
            ..open.record
        };
        let record = ProbeRecord {
            id: ProbeId { slot: 1, generation: open.generation },
            target: TargetId(0),
            flow: FlowKey::default(),
            outcome,
            errno: 0,
            closing,
            started_at: open.syn_at,
            ended_at: self.now,
            answered_at,
            kernel: Some(kernel),
            tcp_info: None,
            fresh_socket: false,
            early_reuse: false,
            half_open: HalfOpen::Enforced,
            confirms: None,
        };
        self.settling.ended(record, self.lost_before, false);
        if self.started < PROBES {
            let gap = match self.random(5) {
                0 => 1_000,
                1 => self.random(40 * MS),
                2 => self.random(1_200 * MS),
                3 => 1_700 * MS,
                _ => 5_000 * MS,
            };
            self.after(gap, What::Start);
        }
    }

    /// The engine takes in what the reader has: late, and sometimes more than it promises.
    fn tick(&mut self) {
        let seen_until = self.now.saturating_sub(self.random(30) * MS);
        let ahead = if self.random(2) == 0 { self.now } else { seen_until };
        while let Some(event) = self.ring.front().filter(|e| e.event.at <= ahead).copied() {
            self.ring.pop_front();
            self.settling.event(&event);
        }
        let lost = self.events_lost + self.settling.strays();
        self.settling.settle(seen_until, lost, &mut self.out);
        let idle = self.started == PROBES && self.client.is_none() && self.settling.is_empty();
        if !idle && self.now < 10_000_000 * MS {
            self.after(10 * MS, What::Tick);
        }
    }
}
