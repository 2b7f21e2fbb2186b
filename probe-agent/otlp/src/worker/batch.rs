//! Batches: spans collected into requests.

use std::{cell::Cell, time::Duration};

use explain::ExplainedProbe;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::InstrumentationScope,
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans},
};
use opentelemetry_semantic_conventions::SCHEMA_URL;
use prost::Message;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{SERVICE, ids::RunIds, span::span};
use kernel::clock::Clock;
use model::target::Targets;

/// The most spans in one request, as in the SDKs' batch processors.
const MAX_SPANS: usize = 512;

/// About the most bytes of spans in one request: half of the 4 MiB that gRPC receivers accept by default.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// How long the first span of a request waits for others.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// Data that all spans of a run share.
pub(crate) struct RunContext {
    pub(crate) resource: Resource,
    pub(crate) targets: Targets,
    pub(crate) clock: Clock,
    pub(crate) ids: RunIds,
}

/// The next request; `None` when the queue is closed and empty. `in_flight` is kept at the number of spans
/// taken from the queue.
pub(super) async fn next_batch(
    queue: &mut mpsc::Receiver<ExplainedProbe>,
    run: &RunContext,
    in_flight: &Cell<u64>,
) -> Option<ExportTraceServiceRequest> {
    let mut next = Some(queue.recv().await?);
    let until = Instant::now() + MAX_DELAY;
    let (mut spans, mut bytes) = (Vec::new(), 0);
    while let Some(probe) = next {
        // The exporter queues only probes of known targets.
        let target = &run.targets[probe.timeline.probe.target.0 as usize];
        let span = span(&probe, target, &run.clock, &run.ids);
        bytes += span.encoded_len();
        spans.push(span);
        in_flight.set(spans.len() as u64);
        if spans.len() == MAX_SPANS || bytes >= MAX_BYTES {
            break;
        }
        next = timeout_at(until, queue.recv()).await.ok().flatten();
    }
    let scope = InstrumentationScope {
        name: SERVICE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let schema_url = SCHEMA_URL.to_owned();
    let scope_spans =
        vec![ScopeSpans { scope: Some(scope), spans, schema_url: schema_url.clone() }];
    let resource = Some(run.resource.clone());
    Some(ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, schema_url }],
    })
}
