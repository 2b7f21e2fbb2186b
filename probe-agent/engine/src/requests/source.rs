//! Requests as a source of probes.

use std::os::fd::BorrowedFd;

use model::{duration::nanos, outcome::Outcome, record::ProbeRecord, target::TargetId};

use super::{Request, RequestQueue, Response};
use crate::source::{Source, TargetTable};

/// Boxed to keep the table of targets small.
type Job = Box<AcceptedRequest>;

/// A request whose probe has been taken and not answered.
pub struct AcceptedRequest {
    request: Request,
    /// The deadline; `None` until the first probe has started.
    deadline: Option<u64>,
    /// The first probe, if a confirmation probe decides whether its refusal is genuine.
    first: Option<ProbeRecord>,
}

impl Source for RequestQueue {
    type Job = Job;

    fn targets(&self) -> TargetTable<Job> {
        TargetTable::transient()
    }

    fn next_due(&self) -> Option<u64> {
        None
    }

    fn take(&mut self, targets: &mut TargetTable<Job>, _: u64) -> Option<TargetId> {
        let request = self.next()?;
        let address = request.address;
        Some(
            targets.insert(
                address,
                Box::new(AcceptedRequest { request, deadline: None, first: None }),
            ),
        )
    }

    /// A confirmation probe has the deadline of the first probe.
    fn deadline(
        &self,
        targets: &mut TargetTable<Job>,
        target: TargetId,
        now: u64,
        timeout: u64,
    ) -> u64 {
        let Some(job) = targets.job(target) else { return now.saturating_add(timeout) };
        *job.deadline.get_or_insert(now.saturating_add(nanos(job.request.timeout)))
    }

    fn charge(&mut self, _: TargetId, _: u64) {}

    fn on_probe_end(
        &mut self,
        targets: &mut TargetTable<Job>,
        record: &ProbeRecord,
        awaits_confirmation: bool,
    ) {
        if awaits_confirmation {
            if let Some(job) = targets.job(record.target) {
                job.first = Some(record.clone());
            }
            return;
        }
        let Some(job) = targets.remove(record.target) else { return };
        let response = match job.first {
            // The confirmation probe did not disprove the refusal.
            Some(first) if record.outcome != Outcome::Alive => {
                Response { probe: first, falsely_refused: false }
            }
            first => Response { probe: record.clone(), falsely_refused: first.is_some() },
        };
        // The receiver may have been dropped meanwhile.
        let _ = job.request.reply.send(response);
    }

    fn is_exhausted(&self) -> bool {
        false
    }

    fn wakeup(&self) -> Option<BorrowedFd<'_>> {
        Some(self.shared.wakeup.descriptor())
    }

    fn may_sleep(&self) -> bool {
        self.prepare_to_sleep()
    }

    fn on_wake(&self) {
        self.wake_up();
    }
}
