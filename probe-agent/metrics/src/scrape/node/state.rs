//! What the service knows at the moment of the scrape.

use std::time::Duration;

use super::super::view::{View, Write, labelled, one};
use crate::{
    family::{Family, counter, gauge},
    page::{Page, Value},
    sample::{Exporter, Worker},
};

pub(crate) const STATE: [(Family, Write); 20] = [
    (
        gauge("probe_agent_build_info", &["version"], "1", "Always 1, with the agent's version."),
        |view, page| labelled(page, "version", view.sample.version, 1),
    ),
    (gauge("probe_agent_targets", &[], "1", "Targets that are probed."), |view, page| {
        one(page, view.targets as u64)
    }),
    (
        gauge("probe_agent_probes_in_flight", &[], "1", "Probes that wait for an answer."),
        |view, page| one(page, workers(view, |worker| worker.in_flight)),
    ),
    (
        gauge(
            "probe_agent_probes_settling",
            &[],
            "1",
            "Probes that have ended and wait for late kernel events.",
        ),
        |view, page| one(page, workers(view, |worker| worker.settling)),
    ),
    (
        gauge(
            "probe_agent_worker_last_turn_age_seconds",
            &["worker"],
            "1 per worker",
            "How long ago a worker's event loop began its last turn. More than a second is a stall.",
        ),
        |view, page| {
            each(view, |number, worker| {
                if let Some(age) = worker.since_last_turn {
                    let value = Value::Float(age.as_secs_f64());
                    page.sample("", "", &[("worker", number)], value, None);
                }
            });
        },
    ),
    (
        counter(
            "probe_agent_worker_stalls_total",
            &["worker"],
            "1 per worker",
            "How often a worker's event loop was stalled for a second or longer: its probes were late.",
        ),
        |view, page| {
            each(view, |number, worker| labelled(page, "worker", number, worker.stalls));
        },
    ),
    (
        counter(
            "probe_agent_events_lost_total",
            &[],
            "1",
            "Kernel events that are known to be missing. Verdicts that depend on one have the proof unknown.",
        ),
        |view, page| one(page, view.sample.events_lost),
    ),
    (
        gauge(
            "probe_agent_source_ports",
            &["state"],
            "2",
            "Source ports of the agent: in_use (a socket is bound to it) and free.",
        ),
        |view, page| {
            if let Some(ports) = view.sample.ports {
                labelled(page, "state", "in_use", ports.in_use);
                labelled(page, "state", "free", ports.free);
            }
        },
    ),
    (
        gauge(
            "probe_agent_capability_available",
            &["capability"],
            "1 per capability, 20 at most",
            "Whether a feature of the kernel or a privilege is available: 1 or 0. What is missing is also in the answer of /readyz.",
        ),
        |view, page| {
            for (name, is_available) in &view.sample.capabilities {
                labelled(page, "capability", name, u64::from(*is_available));
            }
        },
    ),
    (
        gauge(
            "probe_agent_exporter_spans_queued",
            &[],
            "1",
            "Spans that wait to be sent or are being sent.",
        ),
        |view, page| exporter(view, |exporter| one(page, exporter.queued)),
    ),
    (
        counter(
            "probe_agent_exporter_spans_sent_total",
            &[],
            "1",
            "Spans that the receiver accepted.",
        ),
        |view, page| exporter(view, |exporter| one(page, exporter.sent)),
    ),
    (
        counter(
            "probe_agent_exporter_spans_failed_total",
            &[],
            "1",
            "Spans that the receiver rejected, or that were sent without success.",
        ),
        |view, page| exporter(view, |exporter| one(page, exporter.failed)),
    ),
    (
        counter(
            "probe_agent_exporter_spans_dropped_total",
            &["reason"],
            "1 per reason, 8 at most",
            "Spans that were never sent, by reason.",
        ),
        |view, page| {
            exporter(view, |exporter| {
                for (reason, count) in &exporter.dropped {
                    labelled(page, "reason", reason, *count);
                }
            });
        },
    ),
    (
        gauge(
            "probe_agent_exporter_last_success_timestamp_seconds",
            &[],
            "1",
            "When the receiver last accepted a batch; absent before the first one.",
        ),
        |view, page| {
            exporter(view, |exporter| time(page, exporter.last_success_at));
        },
    ),
    (
        gauge(
            "probe_agent_config_info",
            &["hash"],
            "1",
            "Always 1, with a hash of the configuration in force.",
        ),
        |view, page| labelled(page, "hash", &view.sample.configuration.hash, 1),
    ),
    (
        gauge(
            "probe_agent_config_generation",
            &[],
            "1",
            "The number of the configuration in force: 1 at the start, one more for each reload that took effect.",
        ),
        |view, page| one(page, view.sample.configuration.generation),
    ),
    (
        gauge(
            "probe_agent_config_last_reload_successful",
            &[],
            "1",
            "Whether the last reload took effect: 1 or 0. If it did not, the configuration before it is still in force.",
        ),
        |view, page| one(page, u64::from(view.sample.configuration.last_reload_successful)),
    ),
    (
        gauge(
            "probe_agent_config_last_reload_success_timestamp_seconds",
            &[],
            "1",
            "When the configuration in force was loaded.",
        ),
        |view, page| time(page, view.sample.configuration.last_success_at),
    ),
    (
        counter(
            "probe_agent_config_reloads_total",
            &["result"],
            "2",
            "Reloads by result: applied or refused.",
        ),
        |view, page| {
            labelled(page, "result", "applied", view.sample.configuration.reloads);
            labelled(page, "result", "refused", view.sample.configuration.reloads_refused);
        },
    ),
    (
        gauge(
            "probe_agent_target_series_enabled",
            &[],
            "1",
            "Whether the series of single targets are written: 1 or 0.",
        ),
        |view, page| one(page, u64::from(view.shared.options.targets)),
    ),
];

fn workers(view: &View, read: fn(&Worker) -> u64) -> u64 {
    view.sample.workers.iter().map(read).sum()
}

fn each(view: &View, mut write: impl FnMut(&str, &Worker)) {
    for (number, worker) in view.sample.workers.iter().enumerate() {
        write(&number.to_string(), worker);
    }
}

fn exporter(view: &View, write: impl FnMut(&Exporter)) {
    view.sample.exporter.iter().for_each(write);
}

fn time(page: &mut Page, at: Option<Duration>) {
    if let Some(at) = at {
        page.sample("", "", &[], Value::Float(at.as_secs_f64()), None);
    }
}
