//! What can be wrong with the configuration, each in one line with the remedy.

use super::setting::Setting;

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An endpoint that is no URL, or none that spans can be sent to.
    #[error("{}: {:?} {problem}; write it like {example}", .setting.name, .setting.value)]
    Endpoint {
        /// Where it was read.
        setting: Setting,
        /// What is wrong with it.
        problem: &'static str,
        /// A right one.
        example: &'static str,
    },
    /// An endpoint with a user name or password, which is not repeated here.
    #[error(
        "{name}: credentials in the URL are not sent; give them as a header, e.g. \
         OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20..."
    )]
    Credentials {
        /// The flag or variable.
        name: String,
    },
    /// A protocol that is not spoken.
    #[error("{}: protocol {:?} is not supported; use grpc or http/protobuf", .0.name, .0.value)]
    Protocol(Setting),
    /// A compression that is not supported.
    #[error("{}: compression {:?} is not supported; use gzip or none", .0.name, .0.value)]
    Compression(Setting),
    /// A timeout that is none.
    #[error("{}: {:?} is no timeout; write {example}", .setting.name, .setting.value)]
    Timeout {
        /// Where it was read.
        setting: Setting,
        /// A right one.
        example: &'static str,
    },
    /// A list of `key=value` with another thing in it, which is not repeated: it may be a secret.
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
    /// A header that HTTP does not allow.
    #[error("{name}: header {key:?} {problem}")]
    Header {
        /// The flag or variable.
        name: String,
        /// The header's name.
        key: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An exporter that the agent does not have.
    #[error("{}: exporter {:?} is not supported; use otlp or none", .0.name, .0.value)]
    Exporter(Setting),
    /// A client certificate without its key, or a key without its certificate.
    #[error("{present} is set, but {missing} is not; a client certificate needs both")]
    HalfIdentity {
        /// The variable that is there.
        present: String,
        /// The one that is not.
        missing: &'static str,
    },
}
