//! The flags for the agent's own messages.

use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};
use tracing::level_filters::LevelFilter;

/// Which messages are printed on stderr, and how. Every command takes these flags.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Messages")]
pub(crate) struct LogArgs {
    /// Print messages of this level and above on stderr [default: info]
    ///
    /// The error that ends a command is printed at every level. For a filter by target, set
    /// PROBE_AGENT_LOG instead, e.g. `probe_agent=debug,hyper=warn`; this flag wins.
    /// [env: PROBE_AGENT_LOG]
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        value_parser = PossibleValuesParser::new(["error", "warn", "info", "debug", "trace", "off"])
            .try_map(|level| level.parse::<LevelFilter>()),
    )]
    pub log_level: Option<LevelFilter>,

    /// How to print messages
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// `--log-format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// One line per message: `probe-agent: MESSAGE`
    #[default]
    Text,
    /// One JSON object per line: timestamp, level, target, message and its values
    Json,
}
