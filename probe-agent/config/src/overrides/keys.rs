//! Which settings can be overridden, and by which variables.

use crate::{
    nearest::nearest,
    schema::{HttpSettings, LimitSettings, OtlpSettings, PolicySettings},
};

/// What the name of each variable begins with.
const PREFIX: &str = "PROBE_AGENT_";

/// Variables that OpenTelemetry defines. What the agent calls otherwise, comes first.
const STANDARD: [(&str, &str); 7] = [
    ("agent.otlp.endpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ("agent.otlp.protocol", "OTEL_EXPORTER_OTLP_PROTOCOL"),
    ("agent.otlp.timeout", "OTEL_EXPORTER_OTLP_TIMEOUT"),
    ("agent.otlp.compression", "OTEL_EXPORTER_OTLP_COMPRESSION"),
    ("agent.otlp.ca_file", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    ("agent.otlp.client_certificate_file", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
    ("agent.otlp.client_key_file", "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
];

/// The only variable whose value is written in another way: as a number of milliseconds.
pub(super) const IN_MILLISECONDS: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

/// All keys that a flag or a variable can set, as `agent.http.listen` or `interval`.
pub fn keys() -> impl Iterator<Item = String> {
    let sections = [
        ("agent.http.", HttpSettings::KEYS),
        ("agent.otlp.", OtlpSettings::KEYS),
        ("agent.limits.", LimitSettings::KEYS),
        ("", PolicySettings::KEYS),
    ];
    let full = |(section, keys): (&'static str, &'static [&'static str])| {
        keys.iter().map(move |key| format!("{section}{key}"))
    };
    sections.into_iter().flat_map(full)
}

/// The variables that set a key, the strongest first.
#[must_use]
pub fn variables(key: &str) -> Vec<String> {
    let short = key.strip_prefix("agent.").unwrap_or(key).to_uppercase().replace('.', "_");
    let standard = STANDARD.iter().filter(|(standard, _)| *standard == key);
    let own = [format!("{PREFIX}{short}")].into_iter();
    own.chain(standard.map(|(_, name)| (*name).to_owned())).collect()
}

/// The variable that was probably meant by a name that has no meaning; `None` for any other name.
#[must_use]
pub fn suspicious(name: &str) -> Option<String> {
    let is_of_kubernetes = |rest: &str| {
        // Kubernetes sets such variables in each pod, if a Service is called probe-agent.
        rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
    };
    let rest = name.strip_prefix(PREFIX)?;
    let known: Vec<String> = keys().flat_map(|key| variables(&key)).collect();
    if is_of_kubernetes(rest) || known.iter().any(|known| known == name) {
        return None;
    }
    let names: Vec<String> = known
        .iter()
        .filter_map(|known| known.strip_prefix(PREFIX))
        .map(str::to_lowercase)
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nearest(rest, &names).map(|meant| format!("{PREFIX}{}", meant.to_uppercase()))
}
