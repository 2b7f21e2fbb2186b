//! How probes end.

use std::sync::atomic::Ordering;

use explain::correlator::{EndedProbe, PendingRef};
use kernel::monotonic;
use model::{
    outcome::Outcome,
    record::{Closing, HalfOpen, ProbeId, ProbeRecord, StateHook},
    target::TargetId,
};

use super::EventLoop;
use crate::{
    flights::{Confirmation, Flight},
    gauges,
    work::Source,
};

/// What is known at the moment in which a probe ends.
struct End {
    outcome: Outcome,
    errno: i32,
    closing: Closing,
    answered_at: u64,
}

impl<S: Source> EventLoop<S> {
    /// An edge on a slot's socket, or a `connect()` that was answered while it ran.
    pub(super) fn on_answer(&mut self, slot: u32, failed: bool) {
        if self.flights.get(slot).is_none() {
            // The spare edge of the last disconnect.
            return;
        }
        if !failed {
            let answered_at = self.time_of_answer();
            let (outcome, closing) = (Outcome::Alive, Closing::Reset);
            self.end(slot, &End { outcome, errno: 0, closing, answered_at });
            return;
        }
        let errno = self.slots.take_error(slot);
        // An edge without an error is not about this probe; its deadline still holds.
        if errno != 0 {
            self.on_error(slot, errno);
        }
    }

    /// The probe on a slot failed with an errno.
    pub(super) fn on_error(&mut self, slot: u32, errno: i32) {
        let target = self.flights.get(slot).map(|f| f.target);
        let errno = self.cause(target, errno);
        let outcome = match Outcome::from_errno(errno) {
            // No error is no failure; what else it may be, the kernel did not say.
            Outcome::Alive => Outcome::LocalError,
            other => other,
        };
        if matches!(outcome, Outcome::Unreachable | Outcome::LocalError)
            && let Some(target) = target
        {
            self.targets.forget_source(target);
        }
        let answered_at = self.time_of_answer();
        self.end(slot, &End { outcome, errno, closing: Closing::ByKernel, answered_at });
    }

    /// What an errno stands for: that no route leads from a source address which is no longer here
    /// (ENETUNREACH from IPv4) concerns this host and says nothing about the target.
    fn cause(&mut self, target: Option<TargetId>, errno: i32) -> i32 {
        if matches!(errno, libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL)
            && target.is_some_and(|target| self.lacks_source(target))
        {
            libc::EADDRNOTAVAIL
        } else {
            errno
        }
    }

    /// The deadline of the probe on a slot has passed.
    pub(super) fn on_deadline(&mut self, slot: u32, deadline: u64) {
        // The agent may have been kept from noticing an answer that came in time (it was stopped, say).
        let answered = match self.established_at(slot) {
            Some(at) => at <= deadline,
            None => self.slots.is_connected(slot),
        };
        if answered {
            self.on_answer(slot, false);
            return;
        }
        // An answer to an address that went away meanwhile reaches nobody: the silence says nothing about
        // the target.
        let (outcome, errno) = match self.flights.get(slot).map(|f| f.target) {
            Some(target) if self.lacks_source(target) => {
                self.targets.forget_source(target);
                (Outcome::LocalError, libc::EADDRNOTAVAIL)
            }
            _ => (Outcome::TimedOut, 0),
        };
        self.end(slot, &End { outcome, errno, closing: Closing::Silent, answered_at: 0 });
    }

    /// Whether the source address that a target is probed from is no longer an address of this host.
    pub(super) fn lacks_source(&mut self, target: TargetId) -> bool {
        self.targets.lacks_source(target, &self.settings.socket, self.now)
    }

    /// When, by the kernel's record, the probe in flight on a slot was established.
    pub(super) fn established_at(&mut self, slot: u32) -> Option<u64> {
        let last = *self.slots.kernel_generation(slot);
        self.observer.established_at(self.slots.number(slot), last)
    }

    /// With kernel events, userspace's own time need not be exact to the nanosecond.
    fn time_of_answer(&self) -> u64 {
        if self.observer.is_tracing() { self.now } else { monotonic::now() }
    }

    /// Closes the agent's end, frees the slot and reports the probe.
    fn end(&mut self, slot: u32, end: &End) {
        let Some(flight) = self.flights.end(slot) else { return };
        let tcp_info = if self.observer.is_tracing() { None } else { self.slots.tcp_info(slot) };
        self.slots.disconnect(slot, end.closing);
        let record = ProbeRecord { tcp_info, ..self.record(slot, &flight, end) };
        self.slots.on_probe_end(slot, self.targets.address(flight.target), end.closing);
        let awaits_confirmation = flight.is_doubtful && end.outcome == Outcome::Refused;
        if awaits_confirmation {
            let (target, flow) = (flight.target, flight.flow);
            self.waiting.confirm(Confirmation { target, flow, first: record.id });
        }
        let at = self.on_probe_end(record, flight.lost_before, awaits_confirmation);
        *self.slots.last(slot) = Some(at);
    }

    /// What is known about a probe whose agent's end has just been closed.
    fn record(&mut self, slot: u32, flight: &Flight, end: &End) -> ProbeRecord {
        let ended_at = monotonic::now();
        let number = self.slots.number(slot);
        let generation = self.slots.kernel_generation(slot);
        let kernel = self.observer.record(number, *generation);
        if let Some(kernel) = &kernel {
            *generation = kernel.generation;
        }
        let mut record = ProbeRecord {
            id: ProbeId { slot: number, generation: flight.generation },
            target: flight.target,
            flow: flight.flow,
            outcome: end.outcome,
            errno: end.errno,
            closing: end.closing,
            started_at: flight.started_at,
            ended_at,
            answered_at: end.answered_at,
            kernel,
            tcp_info: None,
            fresh_socket: flight.fresh_socket,
            early_reuse: flight.early_reuse,
            half_open: self.observer.half_open(),
            state_hook: self.observer.state_hook(),
            confirms: flight.confirms,
        };
        // The guard sees the sockets of one cgroup, and so does the program beside it that notes each SYN:
        // a socket that it noted nothing of is in another cgroup, because somebody moved the process.
        if record.is_unobserved() && record.state_hook == StateHook::SockOps {
            record.half_open = HalfOpen::NotEnforced;
        }
        record
    }

    /// Hands an ended probe to its source and to the correlator, which returns its name for it.
    pub(super) fn on_probe_end(
        &mut self,
        record: ProbeRecord,
        lost_before: u64,
        awaits_confirmation: bool,
    ) -> PendingRef {
        if record.confirms.is_some() {
            gauges::add(&self.gauges.confirmations, 1);
        } else {
            gauges::add(&self.gauges.ended, 1);
            gauges::add(&self.gauges.alive, u64::from(record.outcome == Outcome::Alive));
            self.gauges.last_at.store(record.ended_at, Ordering::Relaxed);
        }
        self.source.on_probe_end(&mut self.targets, &record, awaits_confirmation);
        self.correlator.on_probe_end(EndedProbe { record, lost_before, awaits_confirmation })
    }
}
