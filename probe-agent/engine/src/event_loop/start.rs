//! Starting probes: which target, from which slot.

use std::{collections::VecDeque, io, net::SocketAddr, sync::atomic::Ordering};

use kernel::{monotonic, prefetch::prefetch};
use model::{
    duration::nanos,
    flow,
    outcome::Outcome,
    record::{Closing, ProbeId, ProbeRecord},
    target::TargetId,
};

use super::{BATCH, EventLoop};
use crate::{
    addresses,
    deadlines::Deadline,
    flights::{Confirmation, Flight},
    slot::Started,
    slot_table::{Chosen, Connected},
    work::Source,
};

/// The slot of a probe that never got one.
const NO_SLOT: u32 = u32::MAX;

/// How long one turn starts probes, in nanoseconds: answers and timeouts wait meanwhile.
const STARTING: u64 = 5_000_000;

/// Starting goes on for this long, in nanoseconds, after a timeout has passed: enough for the turn's own
/// cost to stay small, whatever becomes of probes that were answered long ago.
const BEHIND: u64 = 1_000_000;

/// Probes that come before those of the source.
#[derive(Default)]
pub(super) struct Waiting {
    confirmations: VecDeque<Confirmation>,
    /// A probe that was due when there was no port for it.
    without_port: Option<TargetId>,
    /// Counts the probes that never got a slot.
    slotless: u32,
}

impl Waiting {
    pub(super) fn confirm(&mut self, confirmation: Confirmation) {
        self.confirmations.push_back(confirmation);
    }

    pub(super) fn has_confirmation(&self) -> bool {
        !self.confirmations.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.confirmations.is_empty() && self.without_port.is_none()
    }
}

impl<S: Source> EventLoop<S> {
    /// Starts what is due, confirmation probes first.
    pub(super) fn start_due(&mut self, has_room: bool) {
        let until = self.now + STARTING;
        for _ in 0..BATCH {
            // The time of the last start: deadlines count from it, and must not wait for a batch.
            if self.now >= until
                || self.is_behind()
                || self.flights.len() >= self.limit.at(self.now)
            {
                return;
            }
            if let Some(confirmation) = self.waiting.confirmations.pop_front() {
                self.source.charge(confirmation.target, self.now);
                self.start(confirmation.target, Some(confirmation));
                continue;
            }
            // Nothing new while the output is behind: what is settled must not pile up.
            let next = self.waiting.without_port.take();
            let next = next.or_else(|| {
                has_room.then(|| self.source.take(&mut self.targets, self.now)).flatten()
            });
            let Some(target) = next else { return };
            self.start(target, None);
        }
    }

    /// Whether timeouts have passed that have not been handled: a probe that starts now would be one
    /// more to end, and all of them late.
    fn is_behind(&self) -> bool {
        self.deadlines.next().is_some_and(|at| at.saturating_add(BEHIND) <= self.now)
    }

    fn start(&mut self, target: TargetId, confirmation: Option<Confirmation>) {
        self.now = monotonic::now();
        if let Err(error) = self.choose_and_connect(target, confirmation.as_ref()) {
            if confirmation.is_none() && self.flights.len() > 0 && self.is_shortage(target, &error)
            {
                // There are fewer ports or descriptors than probes were to be in flight: it waits for
                // one of those that there are.
                self.limit.lower(self.flights.len(), self.now);
                self.waiting.without_port = Some(target);
                return;
            }
            self.could_not_start(target, &error, confirmation.map(|c| c.first));
        }
    }

    fn choose_and_connect(
        &mut self,
        target: TargetId,
        confirmation: Option<&Confirmation>,
    ) -> io::Result<()> {
        let remote = self.targets.address(target);
        let ip = self.targets.source(target, &self.settings.socket)?;
        if let Some(next) = self.slots.look_ahead(ip) {
            if let Some(flight) = self.flights.entry(next) {
                prefetch(flight);
            }
            let last = *self.slots.last(next);
            if let Some(pending) = last.and_then(|last| self.correlator.will_read(last)) {
                prefetch(pending);
            }
            self.observer.look_ahead(self.slots.number(next));
        }
        let chosen = self.slots.choose(ip, remote, confirmation.map(|c| &c.flow))?;
        if chosen.relocated && !self.correlator.is_empty() {
            self.observer.on_relocation();
        }
        let connected = self.slots.connect(chosen.slot, remote)?;
        self.on_connect(target, &chosen, &connected, confirmation);
        Ok(())
    }

    /// `connect()` has been called for a probe: it is in flight, or over already.
    fn on_connect(
        &mut self,
        target: TargetId,
        chosen: &Chosen,
        connected: &Connected,
        confirmation: Option<&Confirmation>,
    ) {
        let (slot, generation) = (chosen.slot, connected.generation);
        let fresh_socket = connected.fresh_socket;
        self.flights.start(
            slot,
            Flight {
                target,
                flow: connected.flow,
                generation,
                started_at: self.now,
                fresh_socket,
                // Only a fresh socket can be refused because of a stale connection: see path C.
                is_doubtful: fresh_socket && confirmation.is_none() && connected.has_stale,
                early_reuse: chosen.early_reuse,
                confirms: confirmation.map(|c| c.first),
                lost_before: self.observer.lost(),
            },
        );
        if self.gauges.first_at.load(Ordering::Relaxed) == 0 {
            self.gauges.first_at.store(self.now, Ordering::Relaxed);
        }
        let timeout = nanos(self.settings.timeout);
        let at = self.source.deadline(self.targets.job(target), self.now, timeout);
        match connected.result {
            Started::Answered => self.on_answer(slot, false),
            Started::Failed(errno) => self.on_error(slot, errno),
            // A target on this host has answered by now, and the kernel has noted it.
            Started::InProgress if self.established_at(slot).is_some() => {
                self.on_answer(slot, false);
            }
            Started::InProgress => match self.slots.register(slot, &self.poller.epoll) {
                Ok(()) => self.deadlines.push(Deadline { at, slot, generation }),
                Err(error) => self.on_error(slot, error.raw_os_error().unwrap_or(libc::EIO)),
            },
        }
    }

    /// A probe for which there was no socket: its outcome is reported all the same.
    fn could_not_start(&mut self, target: TargetId, error: &io::Error, confirms: Option<ProbeId>) {
        let address = self.targets.address(target);
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        let local = match self.settings.socket.source {
            Some(ip) => SocketAddr::new(ip, 0),
            None => addresses::unspecified(address),
        };
        self.waiting.slotless += 1;
        self.targets.forget_source(target);
        let outcome = match Outcome::from_errno(errno) {
            // A socket could not be made or bound: whatever the errno, the cause is on this host.
            Outcome::Unreachable if matches!(errno, libc::EACCES | libc::EOPNOTSUPP) => {
                Outcome::LocalError
            }
            Outcome::Alive | Outcome::Refused | Outcome::TimedOut => Outcome::LocalError,
            other @ (Outcome::Unreachable | Outcome::LocalError) => other,
        };
        let record = ProbeRecord {
            id: ProbeId { slot: NO_SLOT, generation: self.waiting.slotless },
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
            half_open: self.observer.half_open(),
            state_hook: self.observer.state_hook(),
            confirms,
        };
        self.on_probe_end(record, self.observer.lost(), false);
    }

    /// Whether an error only says that this host has no more of something.
    fn is_shortage(&mut self, target: TargetId, error: &io::Error) -> bool {
        match error.raw_os_error() {
            // No port is left; or the source address is no longer here, and waiting for a port of it
            // would hold up the others.
            Some(libc::EADDRNOTAVAIL) => !self.lacks_source(target),
            Some(libc::EADDRINUSE | libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                true
            }
            _ => false,
        }
    }
}
