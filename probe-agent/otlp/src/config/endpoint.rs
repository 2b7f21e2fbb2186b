//! The collector's endpoint: URL, protocol, headers and TLS.

mod url;

use std::{fmt, path::PathBuf};

use http::{
    HeaderMap, HeaderName, Uri,
    header::{AUTHORIZATION, PROXY_AUTHORIZATION},
};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_PROTOCOL_GRPC, OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF,
};
use percent_encoding::percent_decode_str;

use super::{
    environment::Settings, error::ConfigError, headers::headers, proxy::Proxy, setting::Setting,
};
use crate::{
    args::OtlpArgs,
    redact::{self, Secrets},
};

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

/// A collector. Neither `Debug` nor `Display` shows the query of its URL or a header's value.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Over HTTP the URL to post to, over gRPC the origin. It may have an IPv6 zone.
    pub url: Uri,
    /// The protocol.
    pub protocol: Protocol,
    /// Sent with each request. The values are marked as sensitive.
    pub headers: HeaderMap,
    /// Whether to compress requests with gzip.
    pub gzip: bool,
    /// The files for `https`.
    pub tls: TlsFiles,
    /// The proxy on the way to it.
    pub proxy: Option<Proxy>,
}

impl Endpoint {
    pub(super) fn new<E: Fn(&str) -> Option<String>>(
        args: &OtlpArgs,
        settings: &Settings<E>,
    ) -> Result<Self, ConfigError> {
        let flag = Some(("--otlp-protocol", args.otlp_protocol.as_deref()));
        let default = (Protocol::HttpProtobuf, "the default of http/protobuf is used");
        let protocol = settings.choose(flag, "PROTOCOL", default, protocol)?;
        let given = settings.pick("--otlp-endpoint", args.otlp_endpoint.as_deref(), "ENDPOINT");
        let insecure = settings.boolean(settings.otlp("INSECURE"));
        let url = url::url(given.as_ref(), protocol, insecure)?;
        let proxy = Proxy::of(&url, settings)?;
        url::check_zone(given.as_ref(), protocol, &url, proxy.is_none())?;
        let flag = Some(("--otlp-headers", args.otlp_headers.as_deref()));
        let none = (HeaderMap::new(), "no header is sent");
        let uncompressed = (false, "requests are not compressed");
        Ok(Self {
            headers: settings.choose(flag, "HEADERS", none, headers)?,
            gzip: settings.choose(None, "COMPRESSION", uncompressed, gzip)?,
            tls: tls(settings)?,
            proxy,
            url,
            protocol,
        })
    }

    /// What a collector knows of this configuration and nobody else may read.
    pub(crate) fn secrets(&self) -> Secrets {
        let query = self.url.query().unwrap_or_default();
        let of_query = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, v)| v));
        let raw = of_query.chain([query]).map(str::to_owned);
        let decoded = |text: String| {
            let plain = percent_decode_str(&text).decode_utf8_lossy().into_owned();
            [text, plain]
        };
        let own = self.headers.iter();
        let of_proxy = self.proxy.iter().filter_map(|proxy| proxy.authorization.as_ref());
        let values = own.chain(of_proxy.map(|value| (&PROXY_AUTHORIZATION, value)));
        let of_headers = values.flat_map(|(name, value)| {
            let whole = String::from_utf8_lossy(value.as_bytes()).into_owned();
            [is_authorization(name).then(|| after_scheme(&whole)), Some(whole)]
        });
        Secrets::new(raw.flat_map(decoded).chain(of_headers.flatten()))
    }
}

fn is_authorization(name: &HeaderName) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION].contains(name)
}

/// The credentials in `Bearer secret`.
fn after_scheme(value: &str) -> String {
    value.split_whitespace().last().unwrap_or_default().to_owned()
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", redact::url(&self.url.to_string()), self.protocol)?;
        if let Some(proxy) = &self.proxy {
            write!(f, ", through the proxy {}", proxy.url)?;
        }
        f.write_str(")")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &redact::url(&self.url.to_string()))
            .field("protocol", &self.protocol)
            .field("headers", &self.headers)
            .field("gzip", &self.gzip)
            .field("tls", &self.tls)
            .field("proxy", &self.proxy)
            .finish()
    }
}

fn protocol(setting: &Setting) -> Result<Protocol, ConfigError> {
    match setting.value.as_str() {
        OTEL_EXPORTER_OTLP_PROTOCOL_GRPC => Ok(Protocol::Grpc),
        OTEL_EXPORTER_OTLP_PROTOCOL_HTTP_PROTOBUF => Ok(Protocol::HttpProtobuf),
        _ => Err(ConfigError::Protocol(setting.clone())),
    }
}

fn gzip(setting: &Setting) -> Result<bool, ConfigError> {
    match setting.value.as_str() {
        "gzip" => Ok(true),
        "none" => Ok(false),
        _ => Err(ConfigError::Compression(setting.clone())),
    }
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
