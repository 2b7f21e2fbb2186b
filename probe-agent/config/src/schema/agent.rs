//! The sections of the agent itself.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    decode::lenient,
    settings::settings,
    values::{
        ByteSize, Compression, Count, FilePath, HttpUrl, Interval, ListenAddress, Protocol, Share,
    },
};

/// The agent itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentSettings {
    /// The HTTP server for metrics, health and the status page.
    #[serde(deserialize_with = "lenient")]
    pub http: HttpSettings,
    /// Where telemetry goes.
    #[serde(deserialize_with = "lenient")]
    pub otlp: OtlpSettings,
    /// What the agent may use.
    #[serde(deserialize_with = "lenient")]
    pub limits: LimitSettings,
}

settings! {
    /// The HTTP server.
    HttpSettings => FoundHttp {
        /// Where to accept connections. Beyond this host, `token_file` or `client_ca_file` is needed.
        listen: ListenAddress = ListenAddress::loopback(9655);
        /// A file with the bearer token that each request must have.
        token_file: FilePath;
        /// A file with the certificates of the server, as PEM. Turns TLS on.
        certificate_file: FilePath;
        /// A file with the key of the first certificate, as PEM.
        key_file: FilePath;
        /// A file with the authorities, as PEM, one of which must have signed the certificate of the client.
        client_ca_file: FilePath;
    }
}

settings! {
    /// Where telemetry goes.
    OtlpSettings => FoundOtlp {
        /// The OTLP receiver. Without it, no telemetry is sent.
        endpoint: HttpUrl;
        /// The protocol of the receiver.
        protocol: Protocol = Protocol::HttpProtobuf;
        /// How long to try to deliver a batch.
        timeout: Interval = Interval::from_millis(10_000);
        /// How requests are compressed.
        compression: Compression = Compression::None;
        /// A file with headers to send, one `name: value` in each line. Secrets belong here.
        headers_file: FilePath;
        /// A file with the authorities, as PEM, that may have signed the certificate of the receiver. Without it,
        /// those of this host.
        ca_file: FilePath;
        /// A file with the certificates that the agent shows to the receiver, as PEM.
        client_certificate_file: FilePath;
        /// A file with the key of the first of these certificates, as PEM.
        client_key_file: FilePath;
        /// The share of clean probes that are sent as spans. Every unusual probe is.
        clean_spans: Share = Share::NONE;
        /// A directory for spans that cannot be delivered for a while. Without it, they are kept in memory only.
        spill_directory: FilePath;
        /// The most that the directory may hold.
        spill_size: ByteSize = ByteSize::mebibytes(256);
    }
}

settings! {
    /// What the agent may use.
    LimitSettings => FoundLimits {
        /// The most targets, with those that are discovered. A list that would exceed it is not taken.
        targets: Count<1, 1_000_000> = Count::clamped(100_000);
        /// The most probes in flight.
        concurrency: Count<1, 65_535> = Count::clamped(256);
        /// The most source ports in use. Without it, as many as the schedule needs.
        slots: Count<1, 65_535>;
        /// The most probes started in a second, over all targets. Without it, there is no limit.
        rate: Count<1, 1_000_000>;
        /// The most probes started in a second to one address, on any port. Without it, there is no limit.
        rate_per_host: Count<1, 1_000_000>;
        /// Threads that run probes. Without it, as many as the schedule needs.
        workers: Count<1, 256>;
    }
}
