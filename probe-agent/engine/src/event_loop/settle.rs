//! Settles probes: no further event can belong to them, so they are judged and handed out.

use explain::{Judged, timeline::Timeline};
use kernel::monotonic;

use super::{EventLoop, Sink};
use crate::source::Source;

/// Settled probes that are handed out between two checks of the deadlines.
pub(super) const HAND_OUT_BATCH: usize = 64;

impl<S: Source> EventLoop<S> {
    /// Passes the kernel events that have arrived to the correlator, and collects the probes that are now
    /// settled.
    pub(super) fn settle(&mut self, settled: &mut Vec<Timeline>) {
        // The watermark is read before the events: what arrives between the two is taken in, but nothing
        // is concluded from it.
        let until = self.observer.watermark(self.now);
        let (slots, flights) = (&self.slots, &self.flights);
        let events = self.observer.events();
        self.correlator.on_time(
            events,
            self.observer.observed(until),
            |probe| {
                let flight = slots.slot_of(probe.id).and_then(|slot| flights.get(slot));
                flight.is_some_and(|flight| flight.flow == probe.requested_flow())
            },
            settled,
        );
        settled.iter_mut().for_each(|timeline| self.observer.note_losses(timeline));
    }

    /// Judges the settled probes and passes them to the sink. Deadlines that pass meanwhile do not wait
    /// for all of them.
    pub(super) fn hand_out(&mut self, settled: &mut Vec<Timeline>, sink: &mut impl Sink) {
        for (handed_out, timeline) in (1..).zip(settled.drain(..)) {
            self.slots.on_settled(timeline.probe.id, &timeline.probe.requested_flow());
            self.judge(timeline, sink);
            if handed_out % HAND_OUT_BATCH == 0 {
                self.now = monotonic::now();
                self.expire();
            }
        }
        self.report_removed(sink);
    }

    /// Judges a settled probe by what its target is expected to do, and passes it to the sink.
    pub(super) fn judge(&mut self, timeline: Timeline, sink: &mut impl Sink) {
        let expect = self.source.on_settled(&mut self.targets, &timeline.probe);
        sink.settled(Judged::new(timeline, expect.unwrap_or(self.settings.expect)));
    }

    /// Reports the removed targets whose probes have all been passed to the sink.
    pub(super) fn report_removed(&mut self, sink: &mut impl Sink) {
        while let Some(target) = self.source.next_removed() {
            sink.removed(target);
        }
    }
}
