//! OTLP: one span for each probe, to a collector over gRPC or HTTP and to a file.
//!
//! The requests are built from the protocol's own messages (`opentelemetry-proto`) and sent by
//! the agent itself. The SDK's exporter keeps a partial success to its log, its `shutdown()`
//! says `Ok` when every span was lost, and its batch queue drops silently; here each span is
//! counted once as accepted, rejected or dropped, and the counts decide the exit code.
//!
//! A span counts as **accepted** when every sink (collector and file) took it, as **rejected**
//! when it was handed to a sink that refused it, failed or did not answer in time, and as
//! **dropped** when it never left the queue.

pub mod args;
pub mod config;
pub mod counts;
pub mod delivery;
pub mod exporter;
pub mod ids;
mod notice;
pub mod resource;
mod sink;
pub mod span;
mod value;
mod warnings;
mod worker;

pub use args::OtlpArgs;
pub use config::OtlpConfig;
pub use exporter::{ExportError, Exporter};
pub use notice::Notice;

/// `service.name` where the environment gives none, and the name of the instrumentation scope.
const SERVICE: &str = "probe-agent";
