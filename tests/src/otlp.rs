//! An exporter as the command line and the environment make it.

use std::sync::{Arc, Mutex};

use clap::Parser;
use opentelemetry_proto::tonic::resource::v1::Resource;
use otlp::{ConfigError, Exporter, HostFacts, Ignored, OtlpArgs, OtlpConfig};

use crate::sample;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    otlp: OtlpArgs,
}

/// The configuration that flags and a valid environment make.
///
/// # Errors
/// The flags or the environment are not valid, and nothing can take their place.
///
/// # Panics
/// clap does not know the flags, or a variable is ignored.
pub fn config(args: &[&str], env: &[(&str, &str)]) -> Result<Option<OtlpConfig>, ConfigError> {
    let (config, ignored) = config_of(args, env);
    assert!(ignored.is_empty(), "{ignored:?}");
    config
}

/// The configuration that flags and an environment make, and the variables that are ignored.
///
/// # Panics
/// clap does not know the flags.
pub fn config_of(
    args: &[&str],
    env: &[(&str, &str)],
) -> (Result<Option<OtlpConfig>, ConfigError>, Vec<Ignored>) {
    let line = CommandLine::parse_from(["test"].iter().chain(args));
    let read =
        |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let mut ignored = Vec::new();
    let config = OtlpConfig::new(&line.otlp, read, |variable| ignored.push(variable.clone()));
    (config, ignored)
}

/// The lines that an exporter reported.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// All lines so far.
    ///
    /// # Panics
    /// The exporter panicked while it reported one.
    #[must_use]
    pub fn get(&self) -> Vec<String> {
        self.0.lock().expect("no thread panics with this lock").clone()
    }
}

/// The resource of a made-up host.
///
/// # Panics
/// Never: an empty environment is valid.
#[must_use]
pub fn resource() -> Resource {
    let facts = HostFacts {
        name: "node-1".into(),
        kernel: "6.12.0".into(),
        pid: 42,
        executable: "probe-agent".into(),
        instance: [7; 16],
    };
    otlp::resource(|_| None, &facts, |variable| panic!("{variable}"))
}

/// An exporter of samples.
///
/// # Panics
/// It does not start.
#[must_use]
pub fn exporter(config: OtlpConfig) -> (Exporter, Lines) {
    let lines = Lines::default();
    let told = Arc::clone(&lines.0);
    let exporter = Exporter::start(
        config,
        resource(),
        sample::targets(),
        sample::CLOCK,
        move |notice: &otlp::Notice<'_>| {
            told.lock().expect("nobody panics with this lock").push(notice.to_string());
        },
    );
    (exporter.expect("the exporter starts"), lines)
}

/// An exporter made from flags alone.
///
/// # Panics
/// It does not start.
#[must_use]
pub fn exporter_of(args: &[&str]) -> (Exporter, Lines) {
    let config = config(args, &[]).expect("the flags are valid").expect("the flags ask for it");
    exporter(config)
}
