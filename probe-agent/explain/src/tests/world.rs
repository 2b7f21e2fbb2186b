//! A client and a server on a network that loses segments at random, and a kernel that reports late. Both
//! ends behave like Linux.

mod client;
mod hooks;
mod server;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
};

use self::{client::Open, server::Request};
use crate::{
    correlator::Correlator,
    timeline::{Coverage, Timeline},
};
use model::{event::FlowEvent, outcome::Outcome, record::Closing};

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
    /// Of events, between hook and reader.
    pub(super) event: u64,
}

/// A segment on the wire. The number is the probe whose SYN it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Syn(u32),
    SynAck { of: u32, sent: u64, echo: u64 },
    Challenge(u32),
    Rst { of: u32, first: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Start,
    ToServer(Segment),
    ToClient(Segment),
    ServerTimer(u64),
    SynTimer(u32, u32),
    GiveUp(u32),
    Tick,
}

#[derive(Debug, Default)]
pub(super) struct Truth {
    /// First RSTs that the network lost.
    pub(super) lost: BTreeSet<u32>,
    /// When the RST would have reached the server.
    arrives: BTreeMap<u32, u64>,
    /// Those of them that the client could notice.
    pub(super) shown: BTreeSet<u32>,
    /// Stale connections that were met while a second copy of a SYN-ACK was just as likely.
    pub(super) ambiguous: BTreeSet<u32>,
    /// When an event was lost, and the probe whose socket took part in it.
    pub(super) events_lost: Vec<(u64, Option<u32>)>,
}

pub(super) struct World {
    seed: u64,
    now: u64,
    order: u64,
    one_way: u64,
    losses: Losses,
    queue: BinaryHeap<Reverse<(u64, u64, Action)>>,
    server: Option<Request>,
    client: Option<Open>,
    started: u32,
    correlator: Correlator,
    ring: VecDeque<FlowEvent>,
    /// When the last event without a socket was lost.
    last_loss: u64,
    pub(super) truth: Truth,
    /// Until when a second copy of each probe's SYN-ACK may be in flight.
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
            correlator: Correlator::new(WINDOW, Coverage::Full),
            ring: VecDeque::new(),
            last_loss: 0,
            truth: Truth::default(),
            copies_until: BTreeMap::new(),
            out: Vec::new(),
        };
        world.after(0, Action::Start);
        world.after(0, Action::Tick);
        while let Some(Reverse((at, _, action))) = world.queue.pop() {
            // A busy kernel handles things later than they arrive.
            world.now = world.now.max(at);
            world.step(action);
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

    fn after(&mut self, delay: u64, action: Action) {
        self.order += 1;
        self.queue.push(Reverse((self.now + delay, self.order, action)));
    }

    fn step(&mut self, action: Action) {
        match action {
            Action::Start => self.start(),
            Action::ToServer(segment) => self.at_server(segment),
            Action::ToClient(segment) => self.at_client(segment),
            Action::ServerTimer(timer) => self.server_timer(timer),
            Action::SynTimer(generation, nth) => self.syn_timer(generation, nth),
            Action::GiveUp(generation) => {
                if self.client.as_ref().is_some_and(|c| c.generation == generation) {
                    self.end(Outcome::TimedOut, Closing::Silent, 0);
                }
            }
            Action::Tick => self.tick(),
        }
    }

    /// Sends from either end; the network may lose the segment.
    fn send(&mut self, segment: Segment) {
        let (percent, to) = match segment {
            Segment::Syn(_) => (self.losses.syn, Action::ToServer(segment)),
            Segment::Rst { first: true, .. } => (self.losses.first_rst, Action::ToServer(segment)),
            Segment::Rst { .. } => (self.losses.recovery_rst, Action::ToServer(segment)),
            Segment::SynAck { .. } | Segment::Challenge(_) => {
                (self.losses.syn_ack, Action::ToClient(segment))
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
}
