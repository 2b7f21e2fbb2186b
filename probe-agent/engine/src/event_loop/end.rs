//! Ends probes: an answer, an error or the deadline decides the outcome.

use std::sync::atomic::Ordering;

use explain::correlator::{EndedProbe, PendingRef};
use kernel::monotonic;
use model::{
    flow,
    outcome::Outcome,
    record::{Closing, HalfOpen, ProbeId, ProbeRecord, StartProblem, StateHook},
    target::TargetId,
};

use probe_agent_common::{FlowKey, SlotRecord};

use super::EventLoop;
use crate::{
    flights::{Confirmation, Flight},
    gauges,
    icmp_queue::QueuedError,
    source::Source,
};

/// How a probe ended.
struct End {
    outcome: Outcome,
    errno: i32,
    closing: Closing,
    /// The ICMP error that ended it.
    icmp: Option<QueuedError>,
}

impl End {
    /// The SYN-ACK came.
    const ANSWERED: Self =
        Self { outcome: Outcome::Alive, errno: 0, closing: Closing::Reset, icmp: None };
}

impl<S: Source> EventLoop<S> {
    /// An edge on a slot's socket, or a `connect()` that was answered while it ran.
    pub(super) fn on_answer(&mut self, slot: u32, failed: bool) {
        if !failed {
            // Has no effect on the spare edge of the last disconnect, when no probe is in flight. A socket
            // may be writable without a SYN-ACK, after a simultaneous open: its deadline still holds.
            if self.has_synack(slot) != Some(false) {
                self.end(slot, &End::ANSWERED);
            }
            return;
        }
        if self.flights.get(slot).is_none() {
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
        let errno = self.local_cause(target, errno);
        let icmp = self.slots.take_icmp(slot);
        let outcome = match Outcome::from_errno(errno) {
            // Whatever the errno, it was no RST.
            Outcome::Refused if icmp.is_some() => Outcome::Unreachable,
            // A RST after the SYN-ACK: the target answered, and then reset the connection.
            Outcome::Refused
                if matches!(errno, libc::ECONNRESET | libc::EPIPE)
                    && self.has_synack(slot) != Some(false) =>
            {
                Outcome::Alive
            }
            // After a simultaneous open: the other client has ended its probe. No server answered.
            Outcome::Refused
                if self.has_synack(slot) == Some(false) && errno != libc::ECONNREFUSED =>
            {
                Outcome::TimedOut
            }
            // The kernel reported a failure without an errno, so the outcome cannot be `alive`.
            Outcome::Alive => Outcome::LocalError,
            other => other,
        };
        if matches!(outcome, Outcome::Unreachable | Outcome::LocalError)
            && let Some(target) = target
        {
            self.targets.forget_source(target);
        }
        self.end(slot, &End { outcome, errno, closing: Closing::ByKernel, icmp });
    }

    /// Replaces an errno whose cause is on this host: if the source address was removed, no route leads
    /// from it (ENETUNREACH from IPv4). That says nothing about the target.
    fn local_cause(&mut self, target: Option<TargetId>, errno: i32) -> i32 {
        if matches!(errno, libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL)
            && target.is_some_and(|target| self.source_removed(target))
        {
            libc::EADDRNOTAVAIL
        } else {
            errno
        }
    }

    /// Ends the probes whose deadline has passed.
    pub(super) fn expire(&mut self) {
        while let Some(passed) = self.deadlines.pop(self.now) {
            if self.flights.contains(passed.slot, passed.generation) {
                self.on_deadline(passed.slot, passed.at);
            }
        }
        if self.deadlines.needs_cleanup(self.flights.len()) {
            self.deadlines.retain(|d| self.flights.contains(d.slot, d.generation));
        }
    }

    /// The deadline of the probe on a slot has passed.
    fn on_deadline(&mut self, slot: u32, deadline: u64) {
        // An answer may have come in time without the agent noticing it, e.g. because the agent was stopped.
        let answered = match (self.established_at(slot), self.has_synack(slot)) {
            (Some(at), _) => at <= deadline,
            (None, Some(_)) => false,
            (None, None) => self.slots.is_connected(slot),
        };
        if answered {
            self.on_answer(slot, false);
            return;
        }
        // If the source address was removed meanwhile, an answer cannot arrive: the silence says nothing
        // about the target.
        let (outcome, errno) = match self.flights.get(slot).map(|f| f.target) {
            Some(target) if self.source_removed(target) => {
                self.targets.forget_source(target);
                (Outcome::LocalError, libc::EADDRNOTAVAIL)
            }
            _ => (Outcome::TimedOut, 0),
        };
        self.end(slot, &End { outcome, errno, closing: Closing::Silent, icmp: None });
    }

    /// Whether the source address for a target has been removed from this host.
    pub(super) fn source_removed(&mut self, target: TargetId) -> bool {
        self.targets.source_removed(target, &self.settings.socket, self.now)
    }

    /// When, by the kernel's record, the probe in flight on a slot was established.
    pub(super) fn established_at(&mut self, slot: u32) -> Option<u64> {
        let last = *self.slots.kernel_generation(slot);
        self.observer.established_at(self.slots.run_slot(slot), last)
    }

    /// Whether, by the kernel's record, a SYN-ACK was accepted for the probe in flight on a slot; `None` if
    /// there is no record of it.
    pub(super) fn has_synack(&mut self, slot: u32) -> Option<bool> {
        let last = *self.slots.kernel_generation(slot);
        let record = self.observer.record(self.slots.run_slot(slot), last)?;
        Some(record.established_at != 0)
    }

    /// Closes the agent's end of the connection, reports the probe and frees the slot. Does nothing if no
    /// probe is in flight there.
    fn end(&mut self, slot: u32, end: &End) {
        let Some(flight) = self.flights.remove(slot) else { return };
        let is_tracing = self.observer.is_tracing();
        let answered_at = match end.closing {
            Closing::Silent => 0,
            // The kernel events have the exact time.
            Closing::Reset | Closing::ByKernel if is_tracing => self.now,
            Closing::Reset | Closing::ByKernel => monotonic::now(),
        };
        let tcp_info = if is_tracing { None } else { self.slots.tcp_info(slot) };
        self.slots.disconnect(slot, end.closing);
        let mut record = ProbeRecord { answered_at, tcp_info, ..self.record(slot, &flight, end) };
        record.translation = self.translations.of(&record, self.now);
        if record.lacked_an_answer() {
            let interface = self.settings.socket.interface.as_deref();
            record.clues = self.clues.look(&record.flow, interface, self.now);
        }
        let awaits_confirmation = flight.refusal_in_doubt && end.outcome == Outcome::Refused;
        if awaits_confirmation {
            let (target, flow) = (flight.target, flight.flow);
            self.start_queue.confirm(Confirmation { target, flow, first: record.id });
        }
        let pending = self.on_probe_end(record, flight.lost_before, awaits_confirmation);
        self.slots.on_probe_end(slot, &flight.flow, end.closing, pending);
    }

    /// The record of a probe whose connection has just been closed.
    fn record(&mut self, slot: u32, flight: &Flight, end: &End) -> ProbeRecord {
        let ended_at = monotonic::now();
        let run_slot = self.slots.run_slot(slot);
        let generation = self.slots.kernel_generation(slot);
        let kernel = self.observer.record(run_slot, *generation);
        if let Some(kernel) = &kernel {
            *generation = kernel.generation;
        }
        let mut record = ProbeRecord {
            id: ProbeId { slot: run_slot, generation: flight.generation },
            target: flight.target,
            flow: flight.flow,
            outcome: end.outcome,
            errno: end.errno,
            closing: end.closing,
            started_at: flight.started_at,
            ended_at,
            answered_at: 0,
            kernel,
            tcp_info: None,
            icmp: end.icmp.filter(|icmp| is_about(icmp, kernel.as_ref())).map(|icmp| icmp.error),
            start_problem: StartProblem::None,
            clues: None,
            redirected_from: None,
            translation: None,
            fresh_socket: flight.fresh_socket,
            early_reuse: flight.early_reuse,
            half_open: self.observer.half_open(),
            state_hook: self.observer.state_hook(),
            rst_hooks: self.observer.rst_hooks(),
            confirms: flight.confirms,
        };
        if let Some(kernel) = &record.kernel {
            // After a simultaneous open the close sends a RST, although no SYN-ACK came.
            if record.closing == Closing::Silent && kernel.rst_sent_at != 0 {
                record.closing = Closing::Reset;
            }
            let real =
                FlowKey { remote: kernel.remote, remote_port: kernel.remote_port, ..record.flow };
            if real != record.flow && kernel.remote_port != 0 {
                record.redirected_from = Some(flow::remote(&record.flow));
                record.flow = real;
            }
        }
        // The ACK guard covers the sockets of one cgroup, and so does the `sock_ops` program that records
        // each SYN. If that program recorded nothing, the socket is in another cgroup because the process
        // was moved, and the guard does not cover it either.
        if record.is_unobserved() && record.state_hook == StateHook::SockOps {
            record.half_open = HalfOpen::NotEnforced;
        }
        record
    }

    /// Counts an ended probe and passes it to its source and to the correlator. Returns the correlator's
    /// reference to it.
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

/// Whether an ICMP error is about this probe's SYN, as far as this can be told: a recycled socket may have
/// got one that was about an earlier probe.
fn is_about(icmp: &QueuedError, kernel: Option<&SlotRecord>) -> bool {
    let end = kernel.map_or(0, |kernel| kernel.syn_end);
    icmp.seq.is_none_or(|seq| end == 0 || seq.wrapping_add(1) == end)
}
