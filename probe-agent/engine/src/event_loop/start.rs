//! Starts probes: which target, from which slot.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
    sync::atomic::Ordering,
};

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
    deadlines::Deadline,
    flights::{Confirmation, Flight},
    probe_socket::ConnectResult,
    slot_table::{ChosenSlot, StartedProbe},
    source::Source,
    source_address, start_problem,
};

/// How long one turn starts probes, in nanoseconds: answers and timeouts wait meanwhile.
const START_TIME: u64 = 5_000_000;

/// How long probes are still started, in nanoseconds, after a deadline has passed. It keeps the turn's own
/// cost small even if the deadline belongs to a probe that was answered long ago.
const DEADLINE_SLACK: u64 = 1_000_000;

/// Probes that start before those of the source.
#[derive(Default)]
pub(super) struct StartQueue {
    confirmations: VecDeque<Confirmation>,
    /// A probe that was due when no port was free for it.
    postponed: Option<TargetId>,
    /// Counts the probes that never got a slot.
    without_slot: u32,
}

impl StartQueue {
    pub(super) fn confirm(&mut self, confirmation: Confirmation) {
        self.confirmations.push_back(confirmation);
    }

    pub(super) fn has_confirmation(&self) -> bool {
        !self.confirmations.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.confirmations.is_empty() && self.postponed.is_none()
    }
}

impl<S: Source> EventLoop<S> {
    /// Starts what is due, confirmation probes first.
    pub(super) fn start_due(&mut self, has_room: bool) {
        let until = self.now + START_TIME;
        for _ in 0..BATCH {
            // `now` is the time of the last start: deadlines count from it, and must not wait for a batch.
            if self.now >= until
                || self.is_late()
                || self.flights.len() >= self.in_flight_limit.at(self.now)
            {
                return;
            }
            if let Some(confirmation) = self.start_queue.confirmations.pop_front() {
                self.source.charge(confirmation.target, self.now);
                self.start(confirmation.target, Some(confirmation));
                continue;
            }
            // Nothing new while the sink has no room: settled probes must not pile up.
            let next = self.start_queue.postponed.take();
            let next = next.or_else(|| {
                has_room.then(|| self.source.take(&mut self.targets, self.now)).flatten()
            });
            let Some(target) = next else { return };
            self.start(target, None);
        }
    }

    /// Whether deadlines have passed that have not been handled. Another probe would be one more to end,
    /// and all of them late.
    fn is_late(&self) -> bool {
        self.deadlines.next().is_some_and(|at| at.saturating_add(DEADLINE_SLACK) <= self.now)
    }

    fn start(&mut self, target: TargetId, confirmation: Option<Confirmation>) {
        self.now = monotonic::now();
        if let Err(error) = self.choose_and_connect(target, confirmation.as_ref()) {
            if confirmation.is_none() && self.flights.len() > 0 && self.is_shortage(target, &error)
            {
                // There are fewer ports or descriptors than the in-flight limit allows: the probe waits
                // until a probe in flight gives back one of those that there are.
                self.in_flight_limit.lower(self.flights.len(), self.now);
                self.start_queue.postponed = Some(target);
                return;
            }
            self.on_start_failed(target, &error, confirmation.map(|c| c.first));
        }
    }

    fn choose_and_connect(
        &mut self,
        target: TargetId,
        confirmation: Option<&Confirmation>,
    ) -> io::Result<()> {
        let remote = self.targets.address(target);
        let ip = self.targets.source(target, &self.settings.socket)?;
        self.prefetch_next(ip);
        let chosen = self.slots.choose(ip, remote, confirmation.map(|c| &c.flow), self.now)?;
        if chosen.relocated {
            self.observer.on_relocation(self.slots.run_slot(chosen.slot), self.now);
        }
        let started = self.slots.connect(chosen.slot, remote)?;
        self.on_connect(target, &chosen, &started, confirmation);
        Ok(())
    }

    /// Prefetches what the probe after this one will probably read and write.
    fn prefetch_next(&self, ip: IpAddr) {
        let Some(next) = self.slots.look_ahead(ip) else { return };
        if let Some(flight) = self.flights.entry(next) {
            prefetch(flight);
        }
        if let Some(pending) =
            self.slots.last(next).and_then(|last| self.correlator.will_read(last))
        {
            prefetch(pending);
        }
        self.observer.look_ahead(self.slots.run_slot(next));
    }

    /// `connect()` has been called for a probe: the probe is in flight, or already over.
    fn on_connect(
        &mut self,
        target: TargetId,
        chosen: &ChosenSlot,
        started: &StartedProbe,
        confirmation: Option<&Confirmation>,
    ) {
        let (slot, generation) = (chosen.slot, started.generation);
        let fresh_socket = started.fresh_socket;
        self.flights.insert(
            slot,
            Flight {
                target,
                flow: started.flow,
                generation,
                started_at: self.now,
                fresh_socket,
                refusal_in_doubt: started.refusal_in_doubt && confirmation.is_none(),
                early_reuse: chosen.early_reuse,
                confirms: confirmation.map(|c| c.first),
                lost_before: self.observer.lost(),
            },
        );
        if self.gauges.first_at.load(Ordering::Relaxed) == 0 {
            self.gauges.first_at.store(self.now, Ordering::Relaxed);
        }
        let timeout = nanos(self.settings.timeout);
        let at = self.source.deadline(&mut self.targets, target, self.now, timeout);
        match started.result {
            ConnectResult::Established if self.has_synack(slot) != Some(false) => {
                self.on_answer(slot, false);
            }
            ConnectResult::Failed(errno) => self.on_error(slot, errno),
            // A target on this host has answered by now, and the kernel has recorded it.
            ConnectResult::InProgress if self.established_at(slot).is_some() => {
                self.on_answer(slot, false);
            }
            ConnectResult::InProgress | ConnectResult::Established => {
                match self.slots.register(slot, &self.epoll) {
                    Ok(()) => self.deadlines.push(Deadline { at, slot, generation }),
                    Err(error) => self.on_error(slot, error.raw_os_error().unwrap_or(libc::EIO)),
                }
            }
        }
    }

    /// A probe got no slot or no socket. Its outcome is reported all the same.
    fn on_start_failed(&mut self, target: TargetId, error: &io::Error, confirms: Option<ProbeId>) {
        let address = self.targets.address(target);
        let errno = error.raw_os_error().unwrap_or(libc::EIO);
        let local = match self.settings.socket.source {
            Some(ip) => SocketAddr::new(ip, 0),
            None => source_address::unspecified(address),
        };
        self.start_queue.without_slot += 1;
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
            id: ProbeId::without_slot(self.settings.worker(), self.start_queue.without_slot),
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
            icmp: None,
            clues: None,
            start_problem: start_problem::find(address, errno, &self.settings.socket),
            redirected_from: None,
            translation: None,
            fresh_socket: true,
            early_reuse: false,
            half_open: self.observer.half_open(),
            state_hook: self.observer.state_hook(),
            rst_hooks: self.observer.rst_hooks(),
            confirms,
        };
        self.on_probe_end(record, self.observer.lost(), false);
    }

    /// Whether an error only means that this host has run out of ports, descriptors or memory.
    fn is_shortage(&mut self, target: TargetId, error: &io::Error) -> bool {
        match error.raw_os_error() {
            // Either no port is left, or the source address was removed. In the second case, waiting for
            // a port would hold up all other probes.
            Some(libc::EADDRNOTAVAIL) => !self.source_removed(target),
            Some(libc::EADDRINUSE | libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM) => {
                true
            }
            _ => false,
        }
    }
}
