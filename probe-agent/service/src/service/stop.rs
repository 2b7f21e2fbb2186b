//! The end of a service: no more probes start, the settle windows end, the spans are delivered.

use std::time::{Duration, Instant};

use engine::event_loop::Ended;

use super::{Ending, Inbox, Service};
use crate::{fleet::Fleet, notice::Notice, systemd::State};

/// The longest wait for settle windows: a service manager ends a service after 90 s, and spans are delivered, too.
const LONGEST: Duration = Duration::from_secs(30);

/// How much longer than timeout and settle window together the last probe may take.
const SLACK: Duration = Duration::from_secs(1);

impl Service {
    /// Ends everything in order.
    pub(super) fn finish(mut self, mut fleet: Fleet, inbox: &Inbox, mut ended: Ended) -> Ending {
        self.notify(State::Stopping);
        self.report(&Notice::Stopping);
        let longest = fleet.targets().map(|(_, t)| t.policy.timeout + t.policy.settle).max();
        let deadline = Instant::now() + (longest.unwrap_or_default() + SLACK).min(LONGEST);
        fleet.stop();
        while !fleet.has_ended() {
            inbox.wait(&mut fleet, &mut self.outputs);
            let now = Instant::now();
            if now >= deadline {
                fleet.stop_now();
            }
            // Nothing starts any more; commands are passed on.
            fleet.turn(now);
            self.feed(now);
            self.join_ended(&mut fleet, inbox, &mut ended);
            self.outputs.renew(&fleet);
        }
        while inbox.take(&mut fleet, &mut self.outputs) > 0 {}
        let spans = self.outputs.exporter.take().map(|exporter| {
            let within = exporter.timeout();
            exporter.finish(within)
        });
        self.report(&Notice::Stopped { unsettled: ended.unsettled });
        Ending { spans, unsettled: ended.unsettled }
    }
}
