//! The collector's endpoint: URL, protocol, headers and TLS.

mod url;

use std::{fmt, path::PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_PROTOCOL_GRPC, OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF,
};

use super::{
    error::ConfigError,
    pairs::pairs,
    setting::{Setting, Settings},
};
use crate::args::OtlpArgs;

/// The protocol of the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC, by default on port 4317.
    Grpc,
    /// Protobuf in HTTP requests, by default on port 4318.
    HttpProtobuf,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grpc => OTEL_EXPORTER_OTLP_PROTOCOL_GRPC,
            Self::HttpProtobuf => OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF,
        })
    }
}

/// PEM files for TLS; they are read when the exporter starts, and only for `https`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificates to trust instead of the system's (`..._CERTIFICATE`).
    pub trusted: Option<PathBuf>,
    /// The client's certificate chain and its private key (`..._CLIENT_CERTIFICATE`,
    /// `..._CLIENT_KEY`).
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Over HTTP the URL to post to, over gRPC the origin.
    pub url: Uri,
    /// The protocol.
    pub protocol: Protocol,
    /// Sent with each request. The values are marked as sensitive and do not show in `Debug`.
    pub headers: HeaderMap,
    /// Whether to compress requests with gzip.
    pub gzip: bool,
    /// The files for `https`.
    pub tls: TlsFiles,
}

impl Endpoint {
    pub(super) fn new<E: Fn(&str) -> Option<String>>(
        args: &OtlpArgs,
        settings: &Settings<E>,
    ) -> Result<Self, ConfigError> {
        let protocol =
            protocol(settings.pick("--otlp-protocol", args.otlp_protocol.as_deref(), "PROTOCOL"))?;
        let given = settings.pick("--otlp-endpoint", args.otlp_endpoint.as_deref(), "ENDPOINT");
        let insecure = settings.otlp("INSECURE").map(|s| s.value.eq_ignore_ascii_case("true"));
        let given_headers =
            settings.pick("--otlp-headers", args.otlp_headers.as_deref(), "HEADERS");
        Ok(Self {
            url: url::url(given.as_ref(), protocol, insecure)?,
            protocol,
            headers: given_headers.map_or_else(|| Ok(HeaderMap::new()), |s| headers(&s))?,
            gzip: gzip(settings.otlp("COMPRESSION"))?,
            tls: tls(settings)?,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.url, self.protocol)
    }
}

fn protocol(setting: Option<Setting>) -> Result<Protocol, ConfigError> {
    let Some(setting) = setting else { return Ok(Protocol::HttpProtobuf) };
    match setting.value.as_str() {
        OTEL_EXPORTER_OTLP_PROTOCOL_GRPC => Ok(Protocol::Grpc),
        OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF => Ok(Protocol::HttpProtobuf),
        _ => Err(ConfigError::Protocol(setting)),
    }
}

fn gzip(setting: Option<Setting>) -> Result<bool, ConfigError> {
    let Some(setting) = setting else { return Ok(false) };
    match setting.value.as_str() {
        "gzip" => Ok(true),
        "none" => Ok(false),
        _ => Err(ConfigError::Compression(setting)),
    }
}

fn headers(setting: &Setting) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (key, value) in pairs(&setting.name, &setting.value)? {
        let invalid =
            |problem| ConfigError::Header { name: setting.name.clone(), key: key.clone(), problem };
        let name =
            HeaderName::try_from(&key).map_err(|_| invalid("is not a valid HTTP header name"))?;
        let mut value = HeaderValue::try_from(value)
            .map_err(|_| invalid("has a value with a character that HTTP does not allow"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn tls<E: Fn(&str) -> Option<String>>(settings: &Settings<E>) -> Result<TlsFiles, ConfigError> {
    let incomplete = |present: Setting, missing| {
        Err(ConfigError::HalfIdentity { present: present.name, missing })
    };
    let identity = match (settings.otlp("CLIENT_CERTIFICATE"), settings.otlp("CLIENT_KEY")) {
        (Some(chain), Some(key)) => Some((chain.value.into(), key.value.into())),
        (None, None) => None,
        (Some(chain), None) => return incomplete(chain, "OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        (None, Some(key)) => return incomplete(key, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
    };
    Ok(TlsFiles { trusted: settings.otlp("CERTIFICATE").map(|s| s.value.into()), identity })
}
