//! The command line as clap parses it. [`crate::config`] validates what it says.

pub(crate) mod check;
mod choice;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod log;
mod parse;
pub(crate) mod run;
pub(crate) mod values;

use clap::{Parser, Subcommand};

pub(crate) use self::parse::{Stop, log_format, parse};
use self::{check::CheckArgs, config::ConfigCommand, demo::DemoArgs, log::LogArgs, run::RunArgs};

/// The whole command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "probe-agent",
    version,
    about = "Half-open TCP health checks, explained by the kernel",
    long_about = "Half-open TCP health checks, explained by the kernel.\n\n\
        A probe is SYN, SYN-ACK, RST: the target's application never sees a connection. Kernel \
        events show what happened to each segment. They tell a target that is down from a lost \
        RST, a false refusal or a late SYN-ACK.",
    after_help = EXIT_CODES,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
    /// The agent's own messages.
    #[command(flatten)]
    pub log: LogArgs,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Probe targets and explain what happened to each probe.
    Check(Box<CheckArgs>),
    /// Inject known faults in a private network lab and compare the verdicts with them.
    Demo(DemoArgs),
    /// Probe the targets of a configuration for as long as it runs, with metrics and spans
    Run(RunArgs),
    /// Check, show and describe the configuration of the agent as a service
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// Printed below the help texts: the exit codes are a contract.
const EXIT_CODES: &str = "\
Exit codes:
  0    every target behaved as expected
  1    at least one target did not
  2    the command line or the configuration is invalid
  3    a privilege is missing that the command or a flag requires
  4    telemetry was not delivered
  5    the run could not be finished, or its results could not be written
  130  interrupted (prints the summary so far; a second signal abandons undelivered spans)
If several apply: the first of 2, 3, 5, 130, 1, 4, 0. SIGTERM under --count 0 gives 0 or 4.

Results go to stdout, progress and messages to stderr. NO_COLOR is honored.";
