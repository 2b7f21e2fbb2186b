//! The command line, as clap sees it. What it means is worked out in [`crate::config`].

pub(crate) mod check;
mod choice;
pub(crate) mod demo;
pub(crate) mod usage;

use clap::{Parser, Subcommand};

use self::{check::CheckArgs, demo::DemoArgs};

/// The whole command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "probe-agent",
    version,
    about = "Half-open TCP health checks, explained by the kernel",
    long_about = "Half-open TCP health checks, explained by the kernel.\n\n\
        A probe is SYN, SYN-ACK, RST: the target's application never sees a connection. Kernel \
        events prove what became of each segment, so that a lost RST, a false refusal or a late \
        SYN-ACK is told from a target that is down.",
    after_help = EXIT_CODES,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the command is asked to do.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Probe targets and say what happened to each probe.
    Check(Box<CheckArgs>),
    /// Show each way in which a half-open probe can go, in a network lab of its own.
    Demo(DemoArgs),
}

/// Printed below the help texts: the exit codes are a contract.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    every target went as expected
  1    a target did not
  2    usage or configuration
  3    a privilege is missing that --require-kernel asks for
  4    telemetry was not delivered
  5    the run could not be finished, or its results not be written
  130  interrupted (the summary so far is printed; a second signal abandons undelivered spans)

Results go to stdout, progress and warnings to stderr. NO_COLOR is honoured.";
