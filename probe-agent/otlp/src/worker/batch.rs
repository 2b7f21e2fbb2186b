//! Batches: spans collected into requests.

use std::time::Duration;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::InstrumentationScope,
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use opentelemetry_semantic_conventions::SCHEMA_URL;
use prost::Message;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::{SERVICE, ids::RunIds, queued::Queued, span::span};
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

/// A request with the number of its spans.
pub(crate) struct Batch {
    pub(crate) request: ExportTraceServiceRequest,
    pub(crate) spans: u64,
}

/// Collects spans into requests.
#[derive(Default)]
pub(super) struct Batcher {
    spans: Vec<Span>,
    bytes: usize,
    /// When the spans leave, even if there are few.
    until: Option<Instant>,
}

impl Batcher {
    /// The number of spans that were taken from the queue and have not left yet.
    pub(super) const fn spans(&self) -> u64 {
        self.spans.len() as u64
    }

    /// The next request; `None` when the queue is closed and empty. Loses nothing if it is cancelled.
    pub(super) async fn next(
        &mut self,
        queue: &mut mpsc::Receiver<Queued>,
        run: &RunContext,
    ) -> Option<Batch> {
        while self.spans.len() < MAX_SPANS && self.bytes < MAX_BYTES {
            let probe = match self.until {
                None => Some(queue.recv().await?),
                Some(until) => timeout_at(until, queue.recv()).await.ok().flatten(),
            };
            let Some(Queued { probe, origin }) = probe else { break };
            let span = match &origin {
                Some(origin) => span(&probe, &origin.target, &origin.clock, &origin.ids),
                // The exporter queues only probes of known targets.
                None => {
                    let target = &run.targets[probe.timeline.probe.target.0 as usize];
                    span(&probe, target, &run.clock, &run.ids)
                }
            };
            self.until.get_or_insert_with(|| Instant::now() + MAX_DELAY);
            self.bytes += span.encoded_len();
            self.spans.push(span);
        }
        let Self { spans, .. } = std::mem::take(self);
        Some(Batch { spans: spans.len() as u64, request: request(spans, run) })
    }
}

fn request(spans: Vec<Span>, run: &RunContext) -> ExportTraceServiceRequest {
    let scope = InstrumentationScope {
        name: SERVICE.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let schema_url = SCHEMA_URL.to_owned();
    let scope_spans =
        vec![ScopeSpans { scope: Some(scope), spans, schema_url: schema_url.clone() }];
    let resource = Some(run.resource.clone());
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource, scope_spans, schema_url }],
    }
}
