//! The URL of a collector, from a setting.

use http::{Uri, uri::PathAndQuery};

use super::{ConfigError, Protocol, Setting};
use crate::{config::setting::Source, zone};

/// The path for traces of OTLP over HTTP (OTLP specification, "OTLP/HTTP Request").
const TRACES_PATH: &str = "/v1/traces";

const EXAMPLE_HTTP: &str = "http://localhost:4318";
const EXAMPLE_GRPC: &str = "http://localhost:4317";

/// The URL to send to. The signal's own variable is used as it is. To other settings, the path for traces
/// is appended over HTTP, except to a flag that already ends with it.
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
    Uri::from_parts(parts).map_err(|_| invalid(setting, protocol, "is not a URL"))
}

fn parse(
    setting: &Setting,
    protocol: Protocol,
    insecure: Option<bool>,
) -> Result<Uri, ConfigError> {
    let invalid = |problem| Err(invalid(setting, protocol, problem));
    let text = match (protocol, insecure) {
        // Only gRPC allows endpoints without a scheme; the variable INSECURE then decides.
        (Protocol::Grpc, Some(insecure)) if !setting.value.contains("://") => {
            format!("{}://{}", if insecure { "http" } else { "https" }, setting.value)
        }
        _ => setting.value.clone(),
    };
    let Ok(uri) = zone::encoded(&text).parse::<Uri>() else { return invalid("is not a URL") };
    let Some(authority) = uri.authority() else { return invalid("is not a URL with a host") };
    if authority.as_str().contains('@') {
        return Err(ConfigError::Credentials { name: setting.name.clone() });
    }
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(_) => return invalid("is neither http:// nor https://"),
        None => return invalid("does not start with http:// or https://"),
    }
    if authority.host().is_empty() {
        return invalid("has no host");
    }
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|p| p == 0) {
        return invalid("has an invalid port");
    }
    let is_local = zone::address(&uri).is_some_and(|address| address.is_unicast_link_local());
    if zone::of(&uri).is_some() && !is_local {
        return invalid("has an IPv6 zone, which only link-local addresses (fe80::/10) have");
    }
    if protocol == Protocol::Grpc && uri.query().is_some() {
        return invalid("has a query, which gRPC does not send");
    }
    Ok(uri)
}

/// Checks that a link-local address has a zone if it is reached directly, and that none is left to a proxy.
pub(super) fn check_zone(
    given: Option<&Setting>,
    protocol: Protocol,
    url: &Uri,
    is_direct: bool,
) -> Result<(), ConfigError> {
    let is_local = zone::address(url).is_some_and(|address| address.is_unicast_link_local());
    let problem = match (given, is_local, zone::of(url), is_direct) {
        (Some(setting), true, None, true) => Some((
            setting,
            "has a link-local address, which needs its interface, as in [fe80::1%25eth0]",
        )),
        (Some(setting), _, Some(_), false) => Some((
            setting,
            "has an IPv6 zone, which means nothing to its proxy: add the address to NO_PROXY",
        )),
        _ => None,
    };
    problem.map_or(Ok(()), |(setting, problem)| Err(invalid(setting, protocol, problem)))
}

fn invalid(setting: &Setting, protocol: Protocol, problem: &'static str) -> ConfigError {
    let example = match protocol {
        Protocol::Grpc => EXAMPLE_GRPC,
        Protocol::HttpProtobuf => EXAMPLE_HTTP,
    };
    ConfigError::Endpoint { setting: setting.clone(), problem, example }
}
