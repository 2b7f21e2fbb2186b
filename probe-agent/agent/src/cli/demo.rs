//! The flags of `probe-agent demo`.

use clap::{Args, ValueEnum};

use demo::OutputFormat;
use kernel::state_hook::StateHookChoice;

use super::choice;

/// The flags of `demo`.
#[derive(Clone, Debug, Args)]
#[command(
    about = "Inject known faults in a private network lab and compare the verdicts with them",
    long_about = "Inject known faults in a private network lab and compare the verdicts with them.\n\n\
        Each scenario runs in its own network namespaces, with a real server and a firewall rule \
        that drops exactly the segment in question. The demo needs root and leaves nothing behind.",
    after_help = "\
Examples:
  probe-agent demo
  probe-agent demo --list
  probe-agent demo --family 6 --scenario rst-lost"
)]
pub(crate) struct DemoArgs {
    /// Address family to probe over
    #[arg(long, value_name = "FAMILY", default_value = "both")]
    pub family: FamilyChoice,

    /// Run only this scenario; can be repeated [default: all scenarios]
    #[arg(long = "scenario", value_name = "NAME")]
    pub scenarios: Vec<String>,

    /// List the scenarios and exit
    #[arg(long)]
    pub list: bool,

    /// How the kernel reports state changes
    #[arg(long, value_name = "FORM", default_value = "auto", value_parser = choice::tracepoints())]
    pub tracepoints: StateHookChoice,

    /// How to print the results
    #[arg(short, long, value_name = "FORMAT", default_value = "ladder")]
    pub output: OutputChoice,
}

/// `--family`
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

/// `--output`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputChoice {
    /// Each probe as a sequence diagram
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
