//! A client and servers on a network that loses segments at random, and a kernel that reports late. All ends
//! behave like Linux. What happened is recorded in [`Truth`].

mod client;
mod faults;
mod hooks;
mod network;
mod server;
mod truth;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
};

use self::{client::Open, server::Request};
pub(super) use self::{
    faults::Faults,
    network::Segment,
    truth::{Fate, Truth},
};
use crate::{
    correlator::Correlator,
    timeline::{Coverage, Timeline},
};
use model::{event::FlowEvent, outcome::Outcome, record::Closing};

pub(super) const MS: u64 = 1_000_000;
const WINDOW: u64 = 1_500 * MS;
const TIMEOUT: u64 = 3_500 * MS;
pub(super) const PROBES: u32 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Action {
    Start,
    ToServer(Segment),
    ToClient(Segment),
    DroppedAtClient(Segment),
    ServerTimer(usize, u64),
    TargetReset(usize, u32),
    SynTimer(u32, u32),
    GiveUp(u32),
    Noise,
    Tick,
}

pub(super) struct World {
    seed: u64,
    now: u64,
    order: u64,
    one_way: u64,
    faults: Faults,
    coverage: Coverage,
    queue: BinaryHeap<Reverse<(u64, u64, Action)>>,
    /// Two of them share the address; the second one is reached by accident only.
    servers: [Option<Request>; 2],
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
    pub(super) fn run(seed: u64, one_way: u64, faults: Faults) -> Self {
        Self::run_with(seed, one_way, faults, Coverage::Full)
    }

    /// With these hooks.
    pub(super) fn run_with(seed: u64, one_way: u64, faults: Faults, coverage: Coverage) -> Self {
        let mut world = Self {
            seed,
            now: 10_000 * MS,
            order: 0,
            one_way,
            faults,
            coverage,
            queue: BinaryHeap::new(),
            servers: [None, None],
            client: None,
            started: 0,
            correlator: Correlator::new(WINDOW, coverage),
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

    /// Whether a SYN may reach another server.
    pub(super) const fn has_other_server(&self) -> bool {
        self.faults.other_server > 0
    }

    /// How long a segment takes.
    pub(super) const fn one_way(&self) -> u64 {
        self.one_way
    }

    /// splitmix64.
    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    /// Whether something happens that happens in so many cases of a hundred.
    fn happens(&mut self, percent: u64) -> bool {
        percent > 0 && self.random(100) < percent
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
            Action::DroppedAtClient(segment) => self.report_drop(segment, true),
            Action::ServerTimer(server, timer) => self.server_timer(server, timer),
            Action::TargetReset(server, of) => self.reset(server, of),
            Action::SynTimer(generation, nth) => self.syn_timer(generation, nth),
            Action::GiveUp(generation) => {
                if self.client.as_ref().is_some_and(|c| c.generation == generation) {
                    self.end(Outcome::TimedOut, Closing::Silent, 0);
                }
            }
            Action::Noise => self.noise(),
            Action::Tick => self.tick(),
        }
    }
}
