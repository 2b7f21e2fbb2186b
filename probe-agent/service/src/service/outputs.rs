//! Where settled probes go: the states of their targets, the export, and the latest unusual ones.

use std::{sync::Arc, time::Duration};

use explain::explain;
use kernel::monotonic;
use metrics::Metrics;
use otlp::{Exporter, Origin};

use crate::{
    fleet::Fleet,
    notice::Notice,
    recent::UnusualProbe,
    sink::{Settled, SharedClock},
    status::Status,
};

/// Where settled probes go.
pub(super) struct Outputs {
    pub(super) exporter: Option<Exporter>,
    pub(super) status: Status,
    pub(super) metrics: Metrics,
    pub(super) clock: SharedClock,
    pub(super) report: Box<dyn FnMut(&Notice<'_>)>,
}

impl Outputs {
    /// A probe is settled.
    pub(super) fn on_settled(&mut self, settled: Settled, fleet: &mut Fleet) {
        let Settled { probe, is_unusual, is_exported, ids } = settled;
        let record = &probe.timeline.probe;
        let (id, at) = (record.target, self.clock.unix(record.ended_at));
        let trace_id = ids.context(record.id).trace_id().to_bytes();
        let Some(tracked) = fleet.reported(id) else { return };
        // A confirmation probe belongs to the probe whose refusal it checks, and that one's outcome has its result.
        if !tracked.is_removed && record.confirms.is_none() {
            let before = tracked.probe_policy().interval;
            if let Some(change) = tracked.observe(&probe, at) {
                tracked.publish(&self.metrics, id, Some(change.last.verdict));
                (self.report)(&Notice::StateChanged { target: &tracked.target, change: &change });
            }
            if tracked.probe_policy().interval != before {
                fleet.set_interval(id);
            }
        }
        if !is_unusual && !is_exported {
            return;
        }
        let Some(target) = fleet.reported(id).map(|tracked| Arc::clone(&tracked.target)) else {
            return;
        };
        let explained = explain(probe);
        if is_unusual {
            self.status.recent().add(UnusualProbe {
                number: 0,
                target: Arc::clone(&target),
                at,
                trace_id,
                probe: explained.clone(),
            });
        }
        if let Some(exporter) = self.exporter.as_ref().filter(|_| is_exported) {
            exporter.offer_of(explained, Origin { target, ids, clock: self.clock.get() });
        }
    }

    /// A configuration is in force. Returns its number.
    pub(super) fn on_configured(&mut self, hash: String) -> u64 {
        let now = self.now();
        let mut known = self.status.known();
        let configuration = &mut known.configuration;
        configuration.hash = hash;
        configuration.generation += 1;
        configuration.last_reload_successful = true;
        configuration.last_success_at = Some(now);
        configuration.reloads += u64::from(configuration.generation > 1);
        configuration.generation
    }

    /// Whether a configuration with this hash is in force, and none was refused since.
    pub(super) fn is_in_force(&self, hash: &str) -> bool {
        let known = self.status.known();
        known.configuration.last_reload_successful && known.configuration.hash == hash
    }

    /// A configuration was refused.
    pub(super) fn on_refused(&mut self) {
        let mut known = self.status.known();
        known.configuration.last_reload_successful = false;
        known.configuration.reloads_refused += 1;
    }

    /// The time since 1970.
    fn now(&self) -> Duration {
        self.clock.unix(monotonic::now())
    }

    /// Renews what the service shows of itself.
    pub(super) fn renew(&self, fleet: &Fleet) {
        let exporter = self.exporter.as_ref().map(|exporter| {
            let counts = exporter.counts();
            metrics::Exporter {
                queued: exporter.queued() as u64,
                sent: counts.accepted,
                failed: counts.rejected,
                dropped: vec![("queue_full", counts.dropped)],
                last_success_at: None,
            }
        });
        let idle = fleet.idle_groups();
        let mut known = self.status.known();
        known.gauges = fleet.gauges();
        known.events_lost = fleet.events_lost();
        known.exporter = exporter;
        known.capabilities = fleet.capabilities();
        known.missing = fleet.missing();
        known.not_ready = (idle > 0).then(|| format!("{idle} groups of targets are not probed"));
        known.turned = std::time::Instant::now();
    }
}
