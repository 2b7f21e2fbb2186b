//! Merges flags and `OTEL_*` variables into one validated configuration.

mod duration;
mod endpoint;
mod error;
pub(crate) mod pairs;
mod setting;

use std::{path::PathBuf, time::Duration};

pub use endpoint::{Endpoint, Protocol, TlsFiles};
pub use error::ConfigError;

use super::args::OtlpArgs;
pub use setting::Setting;
use setting::Settings;

/// The default of `OTEL_EXPORTER_OTLP_TIMEOUT`, as specified.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The capacity of the queue: about half a minute of 2,000 probes per second while a collector restarts, in
/// about 100 MB.
const DEFAULT_QUEUE: usize = 65_536;

/// Where spans go, validated. At least one of `endpoint` and `file` is set.
///
/// Each setting comes from the flag, else from the signal's variable (`OTEL_EXPORTER_OTLP_TRACES_*`), else
/// from the generic one (`OTEL_EXPORTER_OTLP_*`), else it has its default
/// (OpenTelemetry, "OpenTelemetry Protocol Exporter"). An empty variable counts as unset.
///
/// Nothing is exported unless requested by a flag, by an endpoint in the environment, or by
/// `OTEL_TRACES_EXPORTER=otlp`. `OTEL_SDK_DISABLED=true` and `OTEL_TRACES_EXPORTER=none` override the
/// environment, not the flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpConfig {
    /// The collector.
    pub endpoint: Option<Endpoint>,
    /// The file of OTLP JSON lines.
    pub file: Option<PathBuf>,
    /// How long to try to deliver one batch, including retries; never zero.
    pub timeout: Duration,
    /// The capacity of the queue; further spans are dropped and counted.
    pub queue: usize,
}

impl OtlpConfig {
    /// Merges flags and environment; `None` if no export is requested.
    ///
    /// # Errors
    /// A setting is invalid. The error names the flag or variable.
    pub fn new(
        args: &OtlpArgs,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, ConfigError> {
        let settings = Settings::new(env);
        let flags = args.otlp_endpoint.is_some()
            || args.otlp_protocol.is_some()
            || args.otlp_headers.is_some();
        let wanted = flags || requested_by_environment(&settings)?;
        if !wanted && args.otlp_file.is_none() {
            return Ok(None);
        }
        let timeout = match settings.pick("--otlp-timeout", args.otlp_timeout.as_deref(), "TIMEOUT")
        {
            Some(setting) => duration::timeout(&setting)?,
            None => DEFAULT_TIMEOUT,
        };
        let endpoint = if wanted { Some(Endpoint::new(args, &settings)?) } else { None };
        Ok(Some(Self { endpoint, file: args.otlp_file.clone(), timeout, queue: DEFAULT_QUEUE }))
    }
}

/// Whether the environment requests an export.
fn requested_by_environment<E: Fn(&str) -> Option<String>>(
    settings: &Settings<E>,
) -> Result<bool, ConfigError> {
    // Only "true" disables, in upper or lower case.
    let disabled = settings.variable("OTEL_SDK_DISABLED");
    if disabled.is_some_and(|s| s.value.eq_ignore_ascii_case("true")) {
        return Ok(false);
    }
    match settings.variable("OTEL_TRACES_EXPORTER") {
        None => Ok(settings.otlp("ENDPOINT").is_some()),
        Some(Setting { value, .. }) if value == "otlp" => Ok(true),
        Some(Setting { value, .. }) if value == "none" => Ok(false),
        Some(setting) => Err(ConfigError::Exporter(setting)),
    }
}
