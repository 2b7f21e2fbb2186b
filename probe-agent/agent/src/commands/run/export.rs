//! The export of spans: from the configuration, then from the `OTEL_*` variables.

use std::{fmt::Write as _, path::Path};

use anyhow::Context;
use config::{files, schema::FoundOtlp, values::Compression};
use kernel::clock::Clock;
use otlp::{Exporter, HostFacts, OtlpArgs, OtlpConfig};
use tracing::warn;

use super::super::exporter::{failure, ignored, report, variable};
use crate::exit::Failure;

/// Starts the exporter, if the configuration or the environment asks for one.
///
/// # Errors
/// The destination is invalid, a file cannot be read, or this host refuses random bytes or a thread.
pub(super) fn start(otlp: &FoundOtlp) -> Result<Option<Exporter>, Failure> {
    if otlp.spill_directory.is_some() {
        warn!(
            "agent.otlp.spill_directory has no effect in this version: spans that cannot be delivered are kept in \
             memory, and dropped and counted when the queue is full"
        );
    }
    let args = arguments(otlp).map_err(Failure::usage)?;
    let variable = |name: &str| from_configuration(otlp, name).or_else(|| variable(name));
    let config = OtlpConfig::new(&args, variable, ignored).map_err(Failure::usage)?;
    let Some(config) = config else { return Ok(None) };
    let host = HostFacts::detect().context("cannot get random bytes").map_err(Failure::other)?;
    let resource = otlp::resource(super::super::exporter::variable, &host, ignored);
    let clock = Clock::sample().context("cannot read the clocks").map_err(Failure::other)?;
    Exporter::start(config, resource, [].into(), clock, report).map(Some).map_err(failure)
}

/// What a flag of `check` would say. Without an endpoint, the environment decides about the export.
fn arguments(otlp: &FoundOtlp) -> Result<OtlpArgs, String> {
    let Some(endpoint) = &otlp.endpoint else { return Ok(OtlpArgs::default()) };
    let headers = otlp.headers_file.as_ref().map(|file| headers(file.value.get())).transpose()?;
    Ok(OtlpArgs {
        otlp_endpoint: Some(endpoint.value.as_str().to_owned()),
        otlp_protocol: otlp.protocol.as_ref().map(|protocol| protocol.value.to_string()),
        otlp_headers: headers,
        otlp_timeout: otlp.timeout.as_ref().map(|timeout| timeout.value.to_string()),
        otlp_file: None,
    })
}

/// What a variable would say, where the configuration says it and names the endpoint.
fn from_configuration(otlp: &FoundOtlp, name: &str) -> Option<String> {
    otlp.endpoint.as_ref()?;
    let path = |file: &config::values::FilePath| file.get().display().to_string();
    match name {
        "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE" => otlp.ca_file.as_ref().map(|f| path(&f.value)),
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE" => {
            otlp.client_certificate_file.as_ref().map(|f| path(&f.value))
        }
        "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY" => {
            otlp.client_key_file.as_ref().map(|f| path(&f.value))
        }
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION" => {
            let compression = otlp.compression.as_ref()?.value;
            (compression != Compression::None).then(|| compression.to_string())
        }
        _ => None,
    }
}

/// The headers of a file, one `name: value` in each line, as `key=value,key=value` with percent-encoded values.
fn headers(file: &Path) -> Result<String, String> {
    let name = files::shown(file);
    let bytes = files::read(file).map_err(|error| format!("agent.otlp.headers_file: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        format!("agent.otlp.headers_file: {name}: not UTF-8; write one 'name: value' in each line")
    })?;
    let mut headers = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line may be a secret.
        let Some((key, value)) = line.split_once(':') else {
            return Err(format!(
                "agent.otlp.headers_file: {name}:{number}: no colon; write one 'name: value' in each line"
            ));
        };
        let separator = if headers.is_empty() { "" } else { "," };
        // A String takes whatever is written to it; so below.
        let _ = write!(headers, "{separator}{}=", key.trim());
        for byte in value.trim().bytes() {
            let _ = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => write!(headers, "{}", char::from(byte)),
                _ => write!(headers, "%{byte:02X}"),
            };
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::headers;

    #[test]
    fn headers_are_read_from_a_file_and_a_secret_is_not_repeated() {
        let directory =
            std::env::temp_dir().join(format!("probe-agent-headers-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let file = directory.join("headers");
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            headers(&file)
        };
        let text = "# comment\nAuthorization: Bearer a,b=c\n\n x-tenant :7\n";
        assert_eq!(read(text).as_deref(), Ok("Authorization=Bearer%20a%2Cb%3Dc,x-tenant=7"));
        let error = read("x: 1\nsecret").unwrap_err();
        assert!(error.contains("headers:2: no colon") && !error.contains("secret;"), "{error}");
        fs::remove_dir_all(directory).unwrap();
    }
}
