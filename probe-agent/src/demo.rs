//! `probe-agent demo`: each way in which a half-open probe can go, in a lab of its own.
//!
//! ```text
//!   scenarios   what is injected and what must be said of it, as data
//!      |
//!   stage       a lab with its server and faults      \
//!   play        probes there, and asks the witnesses   > once for each scenario and family
//!   compare     was it said what was injected?        /
//!      |
//!   crew        many at a time -> show: page, table, json
//! ```
//!
//! The tests play the same scenarios. Nothing is left behind, however the process ends: see
//! [`crate::lab`].

mod compare;
pub mod crew;
mod describe;
mod error;
mod json;
mod page;
pub mod play;
pub mod scenario;
pub mod scenarios;
mod show;
mod stage;
mod table;
mod undisturbed;

use std::{
    io::{self, Write},
    sync::atomic::Ordering,
};

pub use self::error::DemoError;
use self::{crew::Part, scenario::Scenario, show::Show};
use crate::{
    check::Failure,
    cli::demo::{DemoArgs, Family as Choice},
    lab::{Family, Lab},
    report::{exit::Exit, reporter::reader_gone},
    signals::Interrupts,
    trace::{clock::Clock, tracefs},
    words::in_words,
};

/// Runs the demo. Must be called by the main thread, before others are started (see
/// [`tracefs::find`]).
///
/// # Errors
/// One line for stderr, and the exit code that goes with it.
pub fn run(args: &DemoArgs) -> Result<Exit, Failure> {
    let scenarios = chosen(&args.scenarios)?;
    if args.list {
        return match list(&scenarios) {
            Err(error) if !reader_gone(&error) => Err(failed("write the results")(error).into()),
            _ => Ok(Exit::AsExpected),
        };
    }
    let interrupts = Interrupts::hear(1).map_err(failed("install the signal handlers"))?;
    let stop = interrupts.stop();
    // Ends all threads that it starts.
    Lab::preflight().map_err(DemoError::from)?;
    // Threads cannot mount it; what uses it says so if it is missing.
    let _ = tracefs::find();
    let clock = Clock::sample().map_err(|e| failed("read the clocks")(e.into()))?;
    let form = args.tracepoints;
    let parts: Vec<Part> = scenarios
        .into_iter()
        .flat_map(|scenario| families(args.family).iter().map(move |f| (scenario, *f, form)))
        .collect();
    let mut show = Show::new(&parts, args.output, clock);
    let played = crew::play(&parts, stop, |news| show.hear(news));
    let unread = show.is_unread();
    let as_injected = show.finish().map_err(failed("write the results"))?;
    played?;
    Ok(if stop.load(Ordering::Relaxed) && !unread {
        Exit::Interrupted
    } else if as_injected {
        Exit::AsExpected
    } else {
        Exit::NotAsExpected
    })
}

fn failed(operation: &'static str) -> impl Fn(io::Error) -> DemoError {
    move |source| DemoError::Run { operation, source: in_words(source) }
}

/// The scenarios that were asked for, each once and in the usual order; all if none was named.
fn chosen(names: &[String]) -> Result<Vec<&'static Scenario>, DemoError> {
    if let Some(name) = names.iter().find(|name| scenarios::find(name).is_none()) {
        return Err(DemoError::Unknown { name: name.clone() });
    }
    let wanted = |s: &&Scenario| names.is_empty() || names.iter().any(|name| name == s.name);
    Ok(scenarios::ALL.iter().filter(wanted).collect())
}

fn list(scenarios: &[&'static Scenario]) -> io::Result<()> {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios {
        text.push_str(&format!("{:width$}  {}\n", scenario.name, scenario.title));
    }
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

const fn families(choice: Choice) -> &'static [Family] {
    match choice {
        Choice::Four => &[Family::V4],
        Choice::Six => &[Family::V6],
        Choice::Both => &Family::ALL,
    }
}
