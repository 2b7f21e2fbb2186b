//! The OTLP resource: where the spans come from.
//!
//! Precedence: `OTEL_SERVICE_NAME`, then `OTEL_RESOURCE_ATTRIBUTES`, then detected values
//! (OpenTelemetry, resource SDK, "Specifying resource information via an environment variable").

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{common::v1::KeyValue, resource::v1::Resource};
use opentelemetry_semantic_conventions::attribute as semconv;

use super::{
    SERVICE,
    config::{Ignored, environment::Settings, pairs::pairs},
    value,
};

/// Attributes from the Kubernetes downward API, and the variables that manifests usually put them into. The
/// first variable that is set counts.
const KUBERNETES: [(&str, &[&str]); 4] = [
    (semconv::K8S_NODE_NAME, &["K8S_NODE_NAME", "NODE_NAME"]),
    (semconv::K8S_POD_NAME, &["K8S_POD_NAME", "POD_NAME"]),
    (semconv::K8S_NAMESPACE_NAME, &["K8S_NAMESPACE_NAME", "K8S_POD_NAMESPACE", "POD_NAMESPACE"]),
    (semconv::K8S_POD_UID, &["K8S_POD_UID", "POD_UID"]),
];

/// Facts about this host and process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// `gethostname(2)`; empty if unknown.
    pub name: String,
    /// The kernel release, e.g. `6.12.0`; empty if unknown.
    pub kernel: String,
    /// The process id.
    pub pid: u32,
    /// The file name of the executable; empty if unknown.
    pub executable: String,
    /// 16 random bytes that identify this run (`service.instance.id`).
    pub instance: [u8; 16],
}

impl HostFacts {
    /// Detects the facts.
    ///
    /// # Errors
    /// The kernel gave no random bytes (`getrandom(2)`).
    pub fn detect() -> Result<Self, getrandom::Error> {
        let mut instance = [0; 16];
        getrandom::fill(&mut instance)?;
        let name = nix::unistd::gethostname().ok().and_then(|n| n.into_string().ok());
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let path = std::env::current_exe().unwrap_or_default();
        Ok(Self {
            name: name.unwrap_or_default(),
            kernel: kernel.trim_end().to_owned(),
            pid: std::process::id(),
            executable: path
                .file_name()
                .map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
            instance,
        })
    }
}

/// The resource of this run's spans. If `OTEL_RESOURCE_ATTRIBUTES` is not a list of `key=value`, all of it is
/// discarded (as specified), and `ignored` receives the reason.
#[must_use]
pub fn resource(
    env: impl Fn(&str) -> Option<String>,
    host: &HostFacts,
    ignored: impl FnMut(&Ignored),
) -> Resource {
    let mut attributes = detected(host);
    let settings = Settings::new(env);
    for (key, variables) in KUBERNETES {
        if let Some(found) = variables.iter().find_map(|name| settings.variable(name)) {
            attributes.insert(key.to_owned(), value::text(key, found.value));
        }
    }
    if let Some(list) = settings.variable("OTEL_RESOURCE_ATTRIBUTES") {
        match pairs(&list.name, &list.value) {
            Ok(pairs) => attributes
                .extend(pairs.into_iter().map(|(key, v)| (key.clone(), value::text(&key, v)))),
            Err(error) => settings.ignore(error, "none of its attributes are used"),
        }
    }
    if let Some(name) = settings.variable("OTEL_SERVICE_NAME") {
        let pair = value::text(semconv::SERVICE_NAME, name.value);
        attributes.insert(semconv::SERVICE_NAME.to_owned(), pair);
    }
    settings.into_ignored().iter().for_each(ignored);
    Resource { attributes: attributes.into_values().collect(), ..Resource::default() }
}

fn detected(host: &HostFacts) -> BTreeMap<String, KeyValue> {
    let known = [
        value::text(semconv::SERVICE_NAME, SERVICE),
        value::text(semconv::SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
        value::text(semconv::SERVICE_INSTANCE_ID, uuid(host.instance)),
        value::text(semconv::HOST_NAME, &host.name),
        value::text(semconv::HOST_ARCH, arch(std::env::consts::ARCH)),
        value::text(semconv::OS_TYPE, "linux"),
        value::text(semconv::OS_VERSION, &host.kernel),
        value::int(semconv::PROCESS_PID, host.pid),
        value::text(semconv::PROCESS_EXECUTABLE_NAME, &host.executable),
    ];
    let present = known.into_iter().filter(|pair| !is_empty(pair));
    present.map(|pair| (pair.key.clone(), pair)).collect()
}

fn is_empty(pair: &KeyValue) -> bool {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let value = pair.value.as_ref().and_then(|v| v.value.as_ref());
    matches!(value, Some(Value::StringValue(text)) if text.is_empty())
}

/// OpenTelemetry's name of an architecture (`host.arch`), from Rust's name.
fn arch(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// A random UUID (RFC 9562, section 5.4: version 4).
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let n = u128::from_be_bytes(bytes);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        (n >> 80) & 0xffff,
        (n >> 64) & 0xffff,
        (n >> 48) & 0xffff,
        n & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests;
