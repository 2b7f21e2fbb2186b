//! `probe-agent demo`: each way in which a half-open probe can go, in a lab of its own.
//!
//! ```text
//!   scenarios   what is injected and what must be reported, as data
//!      |
//!   lab_setup   a lab with its target and faults         \
//!   run         probes there, and reads what was counted  > once for each scenario and family
//!   compare     are the verdicts those injected?         /
//!      |
//!   runner      many at a time -> printer: ladders, table, json
//!
//!   background  what tests let other programs do beside the probes
//! ```
//!
//! The tests run the same scenarios. Nothing is left behind, however the process ends: see [`lab`].
// A library returns errors: it does not panic, print or exit.
#![cfg_attr(
    not(test),
    deny(
        clippy::exit,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod background;
mod compare;
mod describe;
mod error;
mod json;
mod lab_setup;
mod ladders;
mod open_files;
mod printer;
mod result;
mod run;
mod runner;
mod scenario;
pub mod scenarios;
mod table;
mod undisturbed;

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use self::printer::Printer;
pub use self::{
    background::{Background, ProbedLab},
    error::DemoError,
    lab_setup::FirstPort,
    printer::OutputFormat,
    result::ScenarioResult,
    runner::{Case, Order, Runner, RunnerEvent},
    scenario::Scenario,
};
use kernel::{clock::Clock, state_hook::StateHookChoice};
use lab::Lab;
pub use lab::{Family, LabError};
use model::errno::in_words;
use report::reporter::reader_gone;

/// What to run, and how to print it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The scenarios, in the order in which they are printed.
    pub scenarios: Vec<&'static Scenario>,
    /// The address families to run each of them over.
    pub families: &'static [Family],
    /// Which hook reports state changes.
    pub state_hook: StateHookChoice,
    /// How to print the results.
    pub output: OutputFormat,
}

/// How the demo ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DemoResult {
    /// Every verdict was the injected one, or this host cannot show it and nothing else was reported.
    AsInjected,
    /// At least one was not.
    NotAsInjected,
    /// `stop` was set before all scenarios had ended.
    Interrupted,
}

/// Runs the demo and prints it to stdout.
///
/// # Errors
/// If the lab, the hooks or the output fail.
pub fn run(options: &Options, stop: &Arc<AtomicBool>) -> Result<DemoResult, DemoError> {
    open_files::raise();
    // Ends all threads that it starts.
    Lab::preflight().map_err(DemoError::from)?;
    let clock = Clock::sample().map_err(|e| failed("read the clocks")(e.into()))?;
    let state_hook = options.state_hook;
    let cases: Vec<Case> = options
        .scenarios
        .iter()
        .flat_map(|scenario| options.families.iter().map(move |f| (*scenario, *f, state_hook)))
        .collect();
    let mut printer = Printer::new(&cases, options.output, clock);
    let ran = Runner::new(&cases).run(stop, |event| printer.on_event(event));
    let unread = printer.has_failed();
    let as_injected = printer.finish().map_err(failed("write the results"))?;
    ran?;
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

/// The scenarios with these names, each once and in the usual order; all if there are no names.
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
