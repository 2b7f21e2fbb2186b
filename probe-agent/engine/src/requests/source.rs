//! Requests as a source of work.

use std::os::fd::{AsFd, BorrowedFd};

use model::{duration::nanos, outcome::Outcome, record::ProbeRecord, target::TargetId};

use super::{Answer, Request, RequestQueue};
use crate::work::{Source, TargetTable};

/// A request that has been taken in. Boxed, to keep the table of targets small.
type Job = Box<AcceptedRequest>;

/// What is kept of a request until it is answered.
pub struct AcceptedRequest {
    request: Request,
    /// When it times out; `None` until its first probe has started.
    deadline: Option<u64>,
    /// Its first probe, whose refusal a confirmation probe is to decide about.
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

    /// A confirmation probe has what the first probe left of the time.
    fn deadline(&self, job: Option<&mut Job>, now: u64, timeout: u64) -> u64 {
        let Some(job) = job else { return now.saturating_add(timeout) };
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
        let answer = match job.first {
            Some(first) if record.outcome != Outcome::Alive => {
                Answer { outcome: first.outcome, probe: first, falsely_refused: false }
            }
            first => Answer {
                probe: record.clone(),
                outcome: record.outcome,
                falsely_refused: first.is_some(),
            },
        };
        // Whoever asked may have gone away.
        let _ = job.request.answer.send(answer);
    }

    fn is_exhausted(&self) -> bool {
        false
    }

    fn wakeup(&self) -> Option<BorrowedFd<'_>> {
        Some(self.wakeup.event.as_fd())
    }

    fn may_sleep(&self) -> bool {
        self.prepare_to_sleep()
    }

    fn on_wake(&self) {
        self.wake_up();
    }
}
