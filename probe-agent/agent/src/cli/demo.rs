//! The flags of `probe-agent demo`.

use clap::{Args, ValueEnum};

use demo::OutputFormat;
use kernel::layout::Form;

use super::choice;

/// The flags of `demo`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Show each way in which a half-open probe can go, in a network lab of its own",
    long_about = "Show each way in which a half-open probe can go.\n\n\
        Each scenario runs in network namespaces of its own, with a real server and a firewall \
        rule that loses just the segment in question. It needs root and leaves nothing behind.",
    after_help = "\
Examples:
  probe-agent demo
  probe-agent demo --list
  probe-agent demo --family 6 --scenario rst-lost"
)]
pub(crate) struct DemoArgs {
    /// Which addresses to use
    #[arg(long, value_name = "FAMILY", default_value = "both")]
    pub family: FamilyChoice,

    /// Run only this scenario; may be given more than once [default: all]
    #[arg(long = "scenario", value_name = "NAME")]
    pub scenarios: Vec<String>,

    /// List the scenarios and run none
    #[arg(long)]
    pub list: bool,

    /// How to read the kernel's tracepoints
    #[arg(long, value_name = "FORM", default_value = "auto", value_parser = choice::tracepoints())]
    pub tracepoints: Form,

    /// How to print the results
    #[arg(short, long, value_name = "FORMAT", default_value = "ladder")]
    pub output: OutputChoice,
}

/// The addresses that a demo runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FamilyChoice {
    /// IPv4
    #[value(name = "4")]
    Four,
    /// IPv6
    #[value(name = "6")]
    Six,
    /// IPv4, then IPv6
    Both,
}

/// How a demo prints its results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputChoice {
    /// Each exchange as a sequence diagram
    Ladder,
    /// One row per scenario
    Table,
    /// One JSON object per probe
    Json,
}

impl From<OutputChoice> for OutputFormat {
    fn from(choice: OutputChoice) -> Self {
        match choice {
            OutputChoice::Ladder => Self::Ladder,
            OutputChoice::Table => Self::Table,
            OutputChoice::Json => Self::Json,
        }
    }
}
