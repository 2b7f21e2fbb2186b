//! The flags of `probe-agent run`.

use std::path::PathBuf;

use clap::Args;

use super::config::OverrideArgs;

/// The flags of `run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
SIGHUP, and any change of a file, make the agent read its configuration again. One that is invalid is refused: \
the one before stays in force. SIGTERM ends the agent in order.

Exit codes:
  0    ended by SIGTERM
  2    the configuration is invalid, or the HTTP server cannot listen
  5    this host refuses a resource such as a thread
  130  ended by SIGINT, or by a second signal")]
pub(crate) struct RunArgs {
    /// The configuration, YAML or TOML by its name's end ('probe-agent config example' prints one)
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// What overrides the file.
    #[command(flatten)]
    pub overrides: OverrideArgs,
}
