//! OTLP export: one span per probe, to a collector over gRPC or HTTP, to a file, or both.
//!
//! The crate builds requests from the protocol's messages (`opentelemetry-proto`) and sends them itself.
//! The SDK's exporter only logs a partial success, its `shutdown()` returns `Ok` even if every span was
//! lost, and its batch queue drops spans silently. Here each span is counted once as accepted, rejected or
//! dropped, and the counts decide the exit code:
//!
//! - **accepted**: every sink (collector and file) accepted it;
//! - **rejected**: a sink rejected it, failed, or did not answer in time. A collector may have stored such a
//!   span all the same, if its answer was lost on the way;
//! - **dropped**: it never left the queue.
// A library returns errors: it does not panic, print or exit.
#![cfg_attr(
    not(test),
    deny(
        clippy::exit,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod args;
mod config;
mod counts;
mod delivery;
mod exporter;
mod ids;
mod notice;
mod redact;
mod resource;
mod sink;
mod span;
mod stop;
mod value;
mod warnings;
mod worker;
mod zone;

pub use args::OtlpArgs;
pub use config::{ConfigError, Endpoint, Ignored, OtlpConfig, Protocol, Proxy, Setting, TlsFiles};
pub use delivery::Delivery;
pub use exporter::{ExportError, Exporter};
pub use ids::RunIds;
pub use notice::Notice;
pub use resource::{HostFacts, resource};
pub use sink::TlsError;
pub use span::span;

/// The default `service.name`, and the name of the instrumentation scope.
const SERVICE: &str = "probe-agent";
