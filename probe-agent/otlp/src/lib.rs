//! OTLP export: one span per probe, to a collector over gRPC or HTTP, to a file, or both.
//!
//! The crate builds requests from the protocol's messages (`opentelemetry-proto`) and sends them itself.
//! The SDK's exporter only logs a partial success, its `shutdown()` returns `Ok` even if every span was
//! lost, and its batch queue drops spans silently. Here each span is counted once as accepted, rejected or
//! dropped, and the counts decide the exit code:
//!
//! - **accepted**: every sink (collector and file) accepted it;
//! - **rejected**: a sink rejected it, failed, or did not answer in time;
//! - **dropped**: it never left the queue.

pub mod args;
pub mod config;
pub mod counts;
pub mod delivery;
pub mod exporter;
pub mod ids;
pub mod resource;
mod sink;
pub mod span;
mod value;
mod warnings;
mod worker;

pub use args::OtlpArgs;
pub use config::OtlpConfig;
pub use exporter::{ExportError, Exporter};

/// The default `service.name`, and the name of the instrumentation scope.
const SERVICE: &str = "probe-agent";
