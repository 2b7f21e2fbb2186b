//! Configuration errors, each in one line with its remedy. None repeats a secret.

use super::setting::Setting;

/// An invalid setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An endpoint that is not a URL, or not one that spans can be sent to.
    #[error("{}: {} {problem}; write it like {example}", .setting.name, .setting.shown())]
    Endpoint {
        /// The setting.
        setting: Setting,
        /// The problem.
        problem: &'static str,
        /// A valid example.
        example: &'static str,
    },
    /// An endpoint with a user name or password.
    #[error(
        "{name}: credentials in the URL are not sent; give them as a header, e.g. \
         OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20..."
    )]
    Credentials {
        /// The flag or variable.
        name: String,
    },
    /// A protocol that is not supported.
    #[error("{}: protocol {} is not supported; use grpc or http/protobuf", .0.name, .0.shown())]
    Protocol(Setting),
    /// A compression that is not supported.
    #[error("{}: compression {} is not supported; use gzip or none", .0.name, .0.shown())]
    Compression(Setting),
    /// An invalid timeout.
    #[error("{}: {} is not a timeout; write {example}", .setting.name, .setting.shown())]
    Timeout {
        /// The setting.
        setting: Setting,
        /// A valid example.
        example: &'static str,
    },
    /// A Boolean that is neither true nor false.
    #[error("{}: {} is neither true nor false", .0.name, .0.shown())]
    Boolean(Setting),
    /// An invalid size of the queue.
    #[error("{}: {} is not a number from 1 to {most}", .setting.name, .setting.shown())]
    Queue {
        /// The setting.
        setting: Setting,
        /// The largest size.
        most: usize,
    },
    /// A list with an entry that is not `key=value`.
    #[error(
        "{name}: entry {entry} is not key=value; separate entries by commas and write a comma \
             in a value as %2C"
    )]
    Pair {
        /// The flag or variable.
        name: String,
        /// Counts from 1.
        entry: usize,
    },
    /// A header name that HTTP does not allow. It is not repeated: in `authorization: secret=` it contains
    /// the secret.
    #[error("{name}: the name of header {header} is not valid in HTTP; write name=value")]
    HeaderName {
        /// The flag or variable.
        name: String,
        /// Counts from 1.
        header: usize,
    },
    /// A header that cannot be sent.
    #[error("{name}: header {key:?} {problem}")]
    Header {
        /// The flag or variable.
        name: String,
        /// The header's name.
        key: String,
        /// The problem.
        problem: &'static str,
    },
    /// An exporter that is not supported.
    #[error("{}: exporter {} is not supported; use otlp or none", .0.name, .0.shown())]
    Exporter(Setting),
    /// A client certificate without its key, or a key without its certificate.
    #[error("{present} is set, but {missing} is not; a client certificate needs both")]
    HalfIdentity {
        /// The variable that is set.
        present: String,
        /// The variable that is missing.
        missing: &'static str,
    },
    /// A proxy that cannot be used.
    #[error(
        "{}: {} {problem}; use a proxy like http://proxy:3128, or name the collector in NO_PROXY to \
         reach it without one",
        .setting.name, .setting.shown()
    )]
    Proxy {
        /// The variable.
        setting: Setting,
        /// The problem.
        problem: &'static str,
    },
}

/// A variable that is invalid and therefore counts as unset; displayed as one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error} (ignored: {instead})")]
pub struct Ignored {
    /// What is wrong with it.
    pub error: ConfigError,
    /// What is used instead.
    pub instead: String,
}
