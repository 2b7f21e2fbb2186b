//! The URL of a collector, from what the user wrote.

use http::{Uri, uri::PathAndQuery};

use super::{ConfigError, Protocol, Setting};
use crate::config::setting::Source;

/// Where OTLP over HTTP takes traces (OTLP specification, "OTLP/HTTP Request").
const TRACES_PATH: &str = "/v1/traces";

const EXAMPLE_HTTP: &str = "http://localhost:4318";
const EXAMPLE_GRPC: &str = "http://localhost:4317";

/// The URL to send to. A signal's own variable is used as it is; to the others the path of traces
/// is appended for HTTP, except to a flag that ends so already.
pub(super) fn url(
    given: Option<&Setting>,
    protocol: Protocol,
    insecure: Option<bool>,
) -> Result<Uri, ConfigError> {
    let Some(setting) = given else {
        return Ok(match protocol {
            Protocol::Grpc => Uri::from_static(EXAMPLE_GRPC),
            Protocol::HttpProtobuf => Uri::from_static("http://localhost:4318/v1/traces"),
        });
    };
    let parsed = parse(setting, protocol, insecure)?;
    let path = parsed.path();
    let complete = setting.source == Source::Flag && path.ends_with(TRACES_PATH);
    if protocol == Protocol::Grpc || setting.source == Source::Signal || complete {
        return Ok(parsed);
    }
    let query = parsed.query().map_or_else(String::new, |q| format!("?{q}"));
    let full = format!("{}{TRACES_PATH}{query}", path.trim_end_matches('/'));
    let mut parts = parsed.into_parts();
    parts.path_and_query = PathAndQuery::try_from(full).ok();
    Uri::from_parts(parts).map_err(|_| wrong(setting, protocol, "is no URL"))
}

fn parse(
    setting: &Setting,
    protocol: Protocol,
    insecure: Option<bool>,
) -> Result<Uri, ConfigError> {
    let wrong = |problem| Err(wrong(setting, protocol, problem));
    let text = match (protocol, insecure) {
        // Only gRPC knows endpoints without a scheme, and only the variable says which is meant.
        (Protocol::Grpc, Some(insecure)) if !setting.value.contains("://") => {
            format!("{}://{}", if insecure { "http" } else { "https" }, setting.value)
        }
        _ => setting.value.clone(),
    };
    let Ok(uri) = text.parse::<Uri>() else { return wrong("is no URL") };
    let Some(authority) = uri.authority() else { return wrong("is no URL with a host") };
    if authority.as_str().contains('@') {
        return Err(ConfigError::Credentials { name: setting.name.clone() });
    }
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(_) => return wrong("is neither http:// nor https://"),
        None => return wrong("has no http:// or https:// before it"),
    }
    if authority.host().is_empty() {
        return wrong("has no host");
    }
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|p| p == 0) {
        return wrong("has a port that is none");
    }
    Ok(uri)
}

fn wrong(setting: &Setting, protocol: Protocol, problem: &'static str) -> ConfigError {
    let example = match protocol {
        Protocol::Grpc => EXAMPLE_GRPC,
        Protocol::HttpProtobuf => EXAMPLE_HTTP,
    };
    ConfigError::Endpoint { setting: setting.clone(), problem, example }
}
