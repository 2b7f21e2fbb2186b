//! Merges flags and `OTEL_*` variables into one validated configuration.

mod duration;
mod endpoint;
pub(crate) mod environment;
mod error;
mod headers;
pub(crate) mod pairs;
mod proxy;
mod setting;

use std::{path::PathBuf, time::Duration};

pub use endpoint::{Endpoint, Protocol, TlsFiles};
pub use error::{ConfigError, Ignored};
pub use proxy::Proxy;

use super::args::OtlpArgs;
use environment::Settings;
pub use setting::Setting;

/// The default of `OTEL_EXPORTER_OTLP_TIMEOUT`, as specified.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The capacity of the queue: about half a minute of 2,000 probes per second while a collector restarts, in
/// about 100 MB.
const DEFAULT_QUEUE: usize = 65_536;

/// The largest capacity of the queue, in about 16 GB.
const MAX_QUEUE: usize = 10_000_000;

/// Where spans go, validated. At least one of `endpoint` and `file` is set.
///
/// Each setting comes from the flag, else from the signal's variable (`OTEL_EXPORTER_OTLP_TRACES_*`), else
/// from the generic one (`OTEL_EXPORTER_OTLP_*`), else it has its default
/// (OpenTelemetry, "OpenTelemetry Protocol Exporter"). An empty variable counts as unset. So does an invalid
/// one, which is reported. Two kinds are errors instead, because nothing may take their place: an endpoint,
/// and the files and proxies on which the safety of the way to it depends.
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
    /// Merges flags and environment; `None` if no export is requested. `ignored` receives each invalid
    /// variable that is taken as unset.
    ///
    /// # Errors
    /// A setting is invalid and cannot be replaced. The error names the flag or variable.
    pub fn new(
        args: &OtlpArgs,
        env: impl Fn(&str) -> Option<String>,
        ignored: impl FnMut(&Ignored),
    ) -> Result<Option<Self>, ConfigError> {
        let settings = Settings::new(env);
        let config = Self::from_settings(args, &settings);
        settings.into_ignored().iter().for_each(ignored);
        config
    }

    fn from_settings<E: Fn(&str) -> Option<String>>(
        args: &OtlpArgs,
        settings: &Settings<E>,
    ) -> Result<Option<Self>, ConfigError> {
        let flags = args.otlp_endpoint.is_some()
            || args.otlp_protocol.is_some()
            || args.otlp_headers.is_some();
        let wanted = flags || requested_by_environment(settings);
        if !wanted && args.otlp_file.is_none() {
            return Ok(None);
        }
        let flag = Some(("--otlp-timeout", args.otlp_timeout.as_deref()));
        let default = (DEFAULT_TIMEOUT, "the default of 10s is used");
        let timeout = settings.choose(flag, "TIMEOUT", default, duration::timeout)?;
        let endpoint = if wanted { Some(Endpoint::new(args, settings)?) } else { None };
        Ok(Some(Self { endpoint, file: args.otlp_file.clone(), timeout, queue: queue(settings) }))
    }
}

/// The capacity of the queue.
fn queue<E: Fn(&str) -> Option<String>>(settings: &Settings<E>) -> usize {
    let Some(setting) = settings.variable("OTEL_BSP_MAX_QUEUE_SIZE") else { return DEFAULT_QUEUE };
    let number = setting.value.parse().ok().filter(|n| (1..=MAX_QUEUE).contains(n));
    number.unwrap_or_else(|| {
        let instead = format!("the default of {DEFAULT_QUEUE} is used");
        settings.ignore(ConfigError::Queue { setting, most: MAX_QUEUE }, instead);
        DEFAULT_QUEUE
    })
}

/// Whether the environment requests an export.
fn requested_by_environment<E: Fn(&str) -> Option<String>>(settings: &Settings<E>) -> bool {
    let endpoint = || settings.otlp("ENDPOINT").is_some();
    if settings.boolean(settings.variable("OTEL_SDK_DISABLED")) == Some(true) {
        return false;
    }
    match settings.variable("OTEL_TRACES_EXPORTER") {
        None => endpoint(),
        Some(Setting { value, .. }) if value == "otlp" => true,
        Some(Setting { value, .. }) if value == "none" => false,
        Some(setting) => {
            // It may be a list.
            let listed = setting.value.split(',').any(|exporter| exporter.trim() == "otlp");
            let wanted = listed || endpoint();
            let instead = match (listed, wanted) {
                (true, _) => "only otlp is used",
                (false, true) => "spans go to the endpoint that is set",
                (false, false) => "no endpoint is set, so the environment requests no export",
            };
            settings.ignore(ConfigError::Exporter(setting), instead);
            wanted
        }
    }
}
