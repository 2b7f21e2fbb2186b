//! Starting probes: which target, from which slot.

use std::{io, sync::atomic::Ordering};

use probe_agent_common::FlowKey;

use super::{BATCH, Engine, choose::Chosen, flight::Flight};
use crate::{deadlines::Deadline, slot::Started, source};
use kernel::monotonic;
use model::{
    flow,
    outcome::Outcome,
    record::{Closing, ProbeId, ProbeRecord},
    target::TargetId,
};

/// The slot of a probe that never got one.
const NO_SLOT: u32 = u32::MAX;

/// How long one turn starts probes, in nanoseconds: what was answered or timed out meanwhile waits.
const STARTING: u64 = 5_000_000;

/// Starting goes on for so long, in nanoseconds, after a timeout has passed: enough for the turn's own
/// cost to stay small, whatever becomes of probes that were answered long ago.
const BEHIND: u64 = 1_000_000;

/// A refusal that a second probe from another port is to decide about (path C).
#[derive(Clone, Copy, Debug)]
pub(super) struct Second {
    pub(super) target: TargetId,
    pub(super) flow: FlowKey,
    pub(super) first: ProbeId,
}

impl Engine {
    /// Starts what is due, second probes first.
    pub(super) fn start_due(&mut self, room: bool) {
        let until = self.now + STARTING;
        for _ in 0..BATCH {
            // The time of the last start: deadlines count from it, and must not wait for a batch.
            if self.now >= until || self.is_behind() || self.flying >= self.ceiling.at(self.now) {
                return;
            }
            if let Some(second) = self.second.pop_front() {
                self.schedule.charge(second.target, self.now);
                self.start(second.target, Some(second));
                continue;
            }
            if let Some(target) = self.waiting.take() {
                self.start(target, None);
                continue;
            }
            // Nothing new while the reports are behind: what is settled must not pile up.
            let Some(target) = room.then(|| self.next()).flatten() else { return };
            self.start(target, None);
        }
    }

    /// Whether timeouts have passed that nobody has heard of: a probe that starts now would be one
    /// more to end, and all of them late.
    fn is_behind(&self) -> bool {
        self.deadlines.next().is_some_and(|at| at.saturating_add(BEHIND) <= self.now)
    }

    /// The next probe that was asked for or is due.
    fn next(&mut self) -> Option<TargetId> {
        self.take_request().or_else(|| self.schedule.take(self.now))
    }

    fn start(&mut self, target: TargetId, second: Option<Second>) {
        self.now = monotonic::now();
        let begun = match self.choose(target, second.as_ref()) {
            Ok(chosen) => self.connect(target, &chosen, second),
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            if second.is_none() && self.flying > 0 && self.is_shortage(target, &error) {
                // There are fewer ports or descriptors than probes were to be under way: it waits
                // for one of those that there are.
                self.ceiling.lower(self.flying, self.now);
                self.waiting = Some(target);
                return;
            }
            self.could_not_start(target, &error, second);
        }
    }

    fn connect(
        &mut self,
        target: TargetId,
        chosen: &Chosen,
        second: Option<Second>,
    ) -> io::Result<()> {
        let slot = chosen.slot;
        let entry = self.pool.entry(slot);
        // First of all: a flight that was noted and never starts would never end.
        let Some(socket) = &entry.slot else {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        };
        let remote = self.book[target].address;
        let started = socket.connect(remote);
        entry.generation += 1;
        let fresh = entry.socket_probes == 0;
        entry.socket_probes += 1;
        let flow = flow::flow(entry.local, remote);
        let generation = entry.generation;
        // Only a fresh socket can be refused by a leftover: see path C.
        let doubtful = fresh && second.is_none() && self.has_leftover(&flow);
        let last = self.pool.entry(slot).place;
        self.settling.starting(&flow, last);
        let flight = Flight {
            target,
            flow,
            generation,
            started_at: self.now,
            fresh,
            doubtful,
            early_reuse: chosen.early_reuse,
            second,
            lost_before: self.lost(),
        };
        if self.in_flight.len() <= slot as usize {
            self.in_flight.resize_with(slot as usize + 1, || None);
        }
        self.in_flight[slot as usize] = Some(flight);
        self.flying += 1;
        let at = self.deadline(target);
        if self.gauges.first_at.load(Ordering::Relaxed) == 0 {
            self.gauges.first_at.store(self.now, Ordering::Relaxed);
        }
        match started {
            Started::Answered => self.answered(slot, false),
            Started::Failed(errno) => self.failed(slot, errno),
            // A target on this host has answered by now, and the kernel has noted it.
            Started::InProgress if self.is_established(slot) => self.answered(slot, false),
            Started::InProgress => match self.pool.watch(slot, &self.epoll) {
                Ok(()) => self.deadlines.push(Deadline { at, slot, generation }),
                Err(error) => self.failed(slot, error.raw_os_error().unwrap_or(libc::EIO)),
            },
        }
        Ok(())
    }

    /// Whether an earlier probe on this 4-tuple may have left something at the server.
    fn has_leftover(&self, flow: &FlowKey) -> bool {
        self.settling.unsettled(flow).is_some_and(|(_, closing)| match closing {
            Closing::Reset | Closing::Silent => true,
            Closing::ByKernel => false,
        })
    }

    /// A probe for which there was no socket: its outcome is told all the same.
    fn could_not_start(&mut self, target: TargetId, error: &io::Error, second: Option<Second>) {
        let address = self.book[target].address;
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        let local = match self.settings.socket.source {
            Some(ip) => std::net::SocketAddr::new(ip, 0),
            None => source::unspecified(address),
        };
        self.socketless += 1;
        self.book.forget_source(target);
        let outcome = match Outcome::from_errno(errno) {
            // A socket could not be made or bound: whatever the errno, it is this host's matter.
            Outcome::Unreachable if matches!(errno, libc::EACCES | libc::EOPNOTSUPP) => {
                Outcome::LocalError
            }
            Outcome::Alive | Outcome::Refused | Outcome::TimedOut => Outcome::LocalError,
            other @ (Outcome::Unreachable | Outcome::LocalError) => other,
        };
        let record = ProbeRecord {
            id: ProbeId { slot: NO_SLOT, generation: self.socketless },
            target,
            flow: flow::flow(local, address),
            outcome,
            errno,
            closing: Closing::ByKernel,
            started_at: self.now,
            ended_at: self.now,
            answered_at: 0,
            kernel: None,
            tcp_info: None,
            fresh_socket: true,
            early_reuse: false,
            half_open: self.half_open(),
            state_hook: self.state_hook(),
            confirms: second.map(|s| s.first),
        };
        self.tell(record, self.lost(), false, second);
    }

    /// Whether an error only says that this host has no more of something.
    fn is_shortage(&mut self, target: TargetId, error: &io::Error) -> bool {
        match error.raw_os_error() {
            // No port is left; or the source address is no longer here, and waiting for a port of
            // it would hold up the others.
            Some(libc::EADDRNOTAVAIL) => !self.lacks_source(target),
            Some(libc::EADDRINUSE | libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                true
            }
            _ => false,
        }
    }
}
