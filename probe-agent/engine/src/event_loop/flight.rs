//! Probes in flight, and how they end.

use std::sync::atomic::Ordering;

use probe_agent_common::FlowKey;

use super::{Engine, gauges, launch::Second};
use crate::pool::Resting;
use explain::{settle::PendingRef, timeline::Confirmation};
use kernel::monotonic;
use model::{
    duration::nanos,
    outcome::Outcome,
    record::{Closing, HalfOpen, ProbeId, ProbeRecord, StateHook, TcpInfo},
    target::TargetId,
};

/// A probe that has started and not ended.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) target: TargetId,
    pub(super) flow: FlowKey,
    pub(super) generation: u32,
    pub(super) started_at: u64,
    /// The first probe of its socket.
    pub(super) fresh: bool,
    /// A refusal of it needs a second opinion.
    pub(super) doubtful: bool,
    pub(super) early_reuse: bool,
    /// It is such a second opinion.
    pub(super) second: Option<Second>,
    pub(super) lost_before: u64,
}

/// What is known at the moment in which a probe ends.
struct End {
    outcome: Outcome,
    errno: i32,
    closing: Closing,
    answered_at: u64,
}

impl Engine {
    /// An edge on a slot's socket, or a `connect()` that was answered while it ran.
    pub(super) fn answered(&mut self, slot: u32, failed: bool) {
        if self.flight(slot).is_none() {
            // The spare edge of the last disconnect.
            return;
        }
        if !failed {
            let answered_at = self.time_of_answer();
            self.end(
                slot,
                &End { outcome: Outcome::Alive, errno: 0, closing: Closing::Reset, answered_at },
            );
            return;
        }
        let errno = self.pool.entry(slot).slot.as_ref().map_or(0, |s| s.take_error());
        // An edge without an error is not about this probe; its deadline still holds.
        if errno != 0 {
            self.failed(slot, errno);
        }
    }

    /// The probe on a slot failed with an errno.
    pub(super) fn failed(&mut self, slot: u32, errno: i32) {
        let errno = self.cause(slot, errno);
        let outcome = match Outcome::from_errno(errno) {
            // No error is no failure; what else it may be, the kernel did not say.
            Outcome::Alive => Outcome::LocalError,
            other => other,
        };
        if matches!(outcome, Outcome::Unreachable | Outcome::LocalError)
            && let Some(target) = self.flight(slot).map(|f| f.target)
        {
            self.book.forget_source(target);
        }
        let answered_at = self.time_of_answer();
        self.end(slot, &End { outcome, errno, closing: Closing::ByKernel, answered_at });
    }

    /// What an errno stands for: that no route leads from a source address which is not here any
    /// more (ENETUNREACH from IPv4) is this host's matter and says nothing of the
    /// target.
    fn cause(&mut self, slot: u32, errno: i32) -> i32 {
        if !matches!(errno, libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EINVAL) {
            return errno;
        }
        let target = self.flight(slot).map(|f| f.target);
        if target.is_some_and(|target| self.lacks_source(target)) {
            libc::EADDRNOTAVAIL
        } else {
            errno
        }
    }

    /// The time of the probe on a slot was over at `deadline`.
    pub(super) fn timed_out(&mut self, slot: u32, deadline: u64) {
        // The agent may have been kept from hearing an answer that came in time (it was stopped, say).
        if self.was_answered(slot, deadline) {
            self.answered(slot, false);
            return;
        }
        let target = self.flight(slot).map(|f| f.target);
        // An answer to an address that went away meanwhile is nobody's: the silence says nothing of
        // the target.
        let (outcome, errno) = match target {
            Some(target) if self.lacks_source(target) => {
                self.book.forget_source(target);
                (Outcome::LocalError, libc::EADDRNOTAVAIL)
            }
            _ => (Outcome::TimedOut, 0),
        };
        self.end(slot, &End { outcome, errno, closing: Closing::Silent, answered_at: 0 });
    }

    /// With kernel events nobody needs userspace's own time to the nanosecond.
    fn time_of_answer(&self) -> u64 {
        if self.tracing.is_some() { self.now } else { monotonic::now() }
    }

    /// Closes the agent's end, frees the slot and tells the probe.
    fn end(&mut self, slot: u32, end: &End) {
        let Some(flight) = self.in_flight.get_mut(slot as usize).and_then(Option::take) else {
            return;
        };
        self.flying -= 1;
        let tcp_info = if self.tracing.is_none() { self.info_before_close(slot) } else { None };
        self.close(slot, end.closing);
        let ended_at = monotonic::now();
        let number = self.pool.number(slot);
        let remote = self.book[flight.target].address;
        let entry = self.pool.entry(slot);
        let kernel = self
            .tracing
            .as_ref()
            .and_then(|t| t.tracer.slots.read(number))
            // A connect() that failed before CLOSE -> SYN_SENT left the last probe's record there.
            .filter(|k| k.generation != entry.kernel_generation);
        if let Some(kernel) = &kernel {
            entry.kernel_generation = kernel.generation;
        }
        entry.resting = match end.closing {
            // Only a later probe of the same 4-tuple lets it settle earlier.
            Closing::Reset | Closing::Silent => {
                let until = ended_at + nanos(self.settings.settle);
                Some(Resting { remote, until })
            }
            Closing::ByKernel => None,
        };
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
            tcp_info,
            fresh_socket: flight.fresh,
            early_reuse: flight.early_reuse,
            half_open: self.half_open(),
            state_hook: self.state_hook(),
            confirms: flight.second.map(|s| s.first),
        };
        // The guard sees the sockets of one cgroup, and so does the program beside it that notes each SYN:
        // a socket of which that noted nothing is in another, because somebody moved the process.
        if record.is_unobserved() && record.state_hook == StateHook::SockOps {
            record.half_open = HalfOpen::NotEnforced;
        }
        self.pool.give_back(slot);
        let doubted = flight.doubtful && end.outcome == Outcome::Refused;
        if doubted {
            self.second.push_back(Second {
                target: flight.target,
                flow: flight.flow,
                first: record.id,
            });
        }
        let place = self.tell(record, flight.lost_before, doubted, flight.second);
        self.pool.entry(slot).place = Some(place);
    }

    fn info_before_close(&mut self, slot: u32) -> Option<TcpInfo> {
        self.pool.entry(slot).slot.as_ref().and_then(|s| s.tcp_info())
    }

    /// Disconnects a slot's socket, and sees to it that the next probe has a fresh one where it must.
    fn close(&mut self, slot: u32, closing: Closing) {
        let entry = self.pool.entry(slot);
        // Disconnected in any case: a close() waits for whoever else has the descriptor, such as a
        // process that another thread is about to start.
        let usable = entry.slot.as_ref().is_some_and(|s| s.disconnect().is_ok());
        if !usable || self.settings.socket.fresh_sockets {
            entry.slot = None;
        }
        // A socket that got no answer knows no window to move its next initial sequence number past
        // (tcp_disconnect adds the peer's, which is 0 then). A server that owes it a SYN-ACK would
        // take its next SYN for a bad segment of the same connection, however long after, and refuse
        // it: path C. A fresh socket's number has moved on with the clock. The old one is closed when
        // that is made: thousands may time out at once, and none is to wait for another's close().
        entry.spent = closing == Closing::Silent;
    }

    /// Hands an ended probe on.
    pub(super) fn tell(
        &mut self,
        record: ProbeRecord,
        lost_before: u64,
        await_second: bool,
        second: Option<Second>,
    ) -> PendingRef {
        if let Some(second) = second {
            gauges::add(&self.gauges.confirmations, 1);
            self.settling.confirm(
                &second.flow,
                second.first,
                Confirmation {
                    id: record.id,
                    local_port: record.flow.local_port,
                    outcome: record.outcome,
                },
            );
        } else {
            gauges::add(&self.gauges.ended, 1);
            gauges::add(&self.gauges.alive, u64::from(record.outcome == Outcome::Alive));
            self.gauges.last_at.store(record.ended_at, Ordering::Relaxed);
        }
        self.answer(&record, await_second);
        self.settling.ended(record, lost_before, await_second)
    }
}
