//! The command-line flags of the export.

use std::{fmt, path::PathBuf};

use clap::Args;

use crate::redact;

/// Where spans go. Flags take precedence over the `OTEL_*` variables (see [`OtlpConfig`](crate::OtlpConfig)).
///
/// `Debug` shows only which flags are given: endpoint and headers may contain secrets.
#[derive(Args, Clone, Default, PartialEq, Eq)]
#[command(next_help_heading = "OTLP export")]
pub struct OtlpArgs {
    /// Send spans to this OTLP receiver, e.g. `http://localhost:4318`
    ///
    /// Over HTTP, /v1/traces is appended unless the path already ends with it. HTTP_PROXY, HTTPS_PROXY and
    /// NO_PROXY are honoured.
    /// [env: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT]
    #[arg(long, value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Protocol of the receiver: grpc or http/protobuf [default: http/protobuf]
    ///
    /// [env: OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL]
    #[arg(long, value_name = "PROTOCOL")]
    pub otlp_protocol: Option<String>,
    /// Headers to send: key=value,key=value, with percent-encoded values
    ///
    /// Other users of this host can read the command line: pass secrets in the variable.
    /// [env: OTEL_EXPORTER_OTLP_HEADERS, OTEL_EXPORTER_OTLP_TRACES_HEADERS]
    #[arg(long, value_name = "HEADERS")]
    pub otlp_headers: Option<String>,
    /// How long to try to deliver a batch, and the last batches at the end of the run [default: 10s]
    ///
    /// [env: OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, in milliseconds]
    #[arg(long, value_name = "DURATION")]
    pub otlp_timeout: Option<String>,
    /// Write spans to this file as OTLP JSON lines, replacing its contents
    #[arg(long, value_name = "PATH")]
    pub otlp_file: Option<PathBuf>,
}

impl fmt::Debug for OtlpArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtlpArgs")
            .field("otlp_endpoint", &self.otlp_endpoint.as_deref().map(redact::url))
            .field("otlp_protocol", &self.otlp_protocol.as_deref().map(redact::url))
            .field("otlp_headers", &self.otlp_headers.as_ref().map(|_| "***"))
            .field("otlp_timeout", &self.otlp_timeout)
            .field("otlp_file", &self.otlp_file)
            .finish()
    }
}
