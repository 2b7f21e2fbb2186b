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
//! [`lab`].

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
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use self::{crew::Part, scenario::Scenario, show::Show};
pub use self::{error::DemoError, show::OutputFormat};
use kernel::{clock::Clock, state_hook::StateHookChoice};
use lab::{Family, Lab};
use model::errno::in_words;
use report::reporter::reader_gone;

/// What to play, and how to show it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The scenarios, in the order in which they are shown.
    pub scenarios: Vec<&'static Scenario>,
    /// The address families to play each of them over.
    pub families: &'static [Family],
    /// Which hook reports state changes.
    pub state_hook: StateHookChoice,
    /// How to print the results.
    pub output: OutputFormat,
}

/// How the demo ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoResult {
    /// Every verdict was the injected one.
    AsInjected,
    /// At least one was not.
    NotAsInjected,
    /// `stop` was set before all scenarios were played.
    Interrupted,
}

/// Runs the demo and prints it to stdout.
///
/// # Errors
/// If the lab, the hooks or the output fail.
pub fn run(options: &Options, stop: &Arc<AtomicBool>) -> Result<DemoResult, DemoError> {
    // Ends all threads that it starts.
    Lab::preflight().map_err(DemoError::from)?;
    let clock = Clock::sample().map_err(|e| failed("read the clocks")(e.into()))?;
    let state_hook = options.state_hook;
    let parts: Vec<Part> = options
        .scenarios
        .iter()
        .flat_map(|scenario| options.families.iter().map(move |f| (*scenario, *f, state_hook)))
        .collect();
    let mut show = Show::new(&parts, options.output, clock);
    let played = crew::play(&parts, stop, |news| show.hear(news));
    let unread = show.is_unread();
    let as_injected = show.finish().map_err(failed("write the results"))?;
    played?;
    Ok(if stop.load(Ordering::Relaxed) && !unread {
        DemoResult::Interrupted
    } else if as_injected {
        DemoResult::AsInjected
    } else {
        DemoResult::NotAsInjected
    })
}

fn failed(operation: &'static str) -> impl Fn(io::Error) -> DemoError {
    move |source| DemoError::Run { operation, source: in_words(source) }
}

/// The scenarios of these names, each once and in the usual order; all if there are no names.
///
/// # Errors
/// If there is no scenario of a name.
pub fn select(names: &[String]) -> Result<Vec<&'static Scenario>, DemoError> {
    if let Some(name) = names.iter().find(|name| scenarios::find(name).is_none()) {
        return Err(DemoError::Unknown { name: name.clone() });
    }
    let wanted = |s: &&Scenario| names.is_empty() || names.iter().any(|name| name == s.name);
    Ok(scenarios::ALL.iter().filter(wanted).collect())
}

/// Prints the names and titles of scenarios to stdout. A reader that is gone is no error.
///
/// # Errors
/// If stdout cannot be written to.
pub fn list(scenarios: &[&'static Scenario]) -> Result<(), DemoError> {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios {
        text.push_str(&format!("{:width$}  {}\n", scenario.name, scenario.title));
    }
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if !reader_gone(&error) => Err(failed("write the results")(error)),
        _ => Ok(()),
    }
}
