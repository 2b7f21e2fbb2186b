//! The flags of `probe-agent config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The commands of `config`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check configurations; prints each problem as FILE:LINE:COLUMN: KEY: what is wrong, and the remedy
    #[command(after_help = "\
Exit codes:
  0  all files are valid
  2  a file is invalid or cannot be read
  5  the result could not be written")]
    Check(ConfigCheckArgs),
    /// Print the values that hold, each with its origin
    Show(ConfigShowArgs),
    /// Print an example of a configuration, with every key
    Example,
    /// Print the JSON Schema of the configuration
    Schema,
}

/// The flags of `config check`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigCheckArgs {
    /// The files, YAML or TOML by their names' end; '-' means stdin, as YAML
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What overrides the files.
    #[command(flatten)]
    pub overrides: OverrideArgs,
}

/// The flags of `config show`.
#[derive(Args, Clone, Debug)]
pub(crate) struct ConfigShowArgs {
    /// The file, YAML or TOML by its name's end; '-' means stdin, as YAML
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Show only the target of this name
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// What overrides the file.
    #[command(flatten)]
    pub overrides: OverrideArgs,
}

/// What overrides a file.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct OverrideArgs {
    /// Override a key of the file: agent.http.listen=127.0.0.1:80, or interval=1s for all targets
    ///
    /// Can be repeated. docs/configuration.md lists the variables that do the same.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
