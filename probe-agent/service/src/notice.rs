//! What the service reports while it runs, one line each. Who embeds it decides where the lines go.

use std::fmt;

use config::health::StateChange;
use model::{human::counted, target::Target};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is as it should be.
    Info,
    /// Somebody should look.
    Warning,
}

/// Something that an operator should know; displayed as one line.
#[derive(Debug)]
pub enum Notice<'a> {
    /// The configuration is in force.
    Configured {
        /// Counts the configurations from 1.
        generation: u64,
        /// The targets, with those that were discovered.
        targets: usize,
        /// Probes that were added, removed and changed.
        changes: [usize; 3],
    },
    /// The configuration cannot be used; the one before stays in force.
    Refused {
        /// What is wrong, and the remedy.
        problem: &'a str,
    },
    /// Something of the configuration has no effect, or a cost.
    Warning(&'a str),
    /// The state of a target has changed.
    StateChanged {
        /// The target.
        target: &'a Target,
        /// The change, with the verdict behind it.
        change: &'a StateChange,
    },
    /// Targets cannot be probed for now. It is tried again.
    CannotProbe {
        /// How many.
        targets: usize,
        /// Why.
        reason: &'a str,
    },
    /// Something that this host could provide is missing: what, its cost, and the remedy.
    Degraded(&'a str),
    /// Probing stops: what is in flight or settling is waited for.
    Stopping,
    /// Probing has ended.
    Stopped {
        /// Probes whose settle window was cut short.
        unsettled: u64,
    },
}

impl Notice<'_> {
    /// How much it matters.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self {
            Self::Configured { .. }
            | Self::StateChanged { .. }
            | Self::Stopping
            | Self::Stopped { unsettled: 0 } => Level::Info,
            Self::Refused { .. }
            | Self::Warning(_)
            | Self::CannotProbe { .. }
            | Self::Degraded(_)
            | Self::Stopped { .. } => Level::Warning,
        }
    }
}

impl fmt::Display for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured { generation, targets, changes: [added, removed, changed] } => write!(
                f,
                "configuration {generation} is in force: {}; probes: {added} added, {removed} removed, {changed} \
                 changed",
                counted(*targets as u64, "target")
            ),
            Self::Refused { problem } => {
                write!(f, "configuration refused, the one before stays in force: {problem}")
            }
            Self::Warning(text) | Self::Degraded(text) => write!(f, "{text}"),
            Self::StateChanged { target, change } => {
                write!(f, "{} ({}): {change}", target.name, target.address_text())
            }
            Self::CannotProbe { targets, reason } => {
                write!(
                    f,
                    "{} cannot be probed for now: {reason}",
                    counted(*targets as u64, "target")
                )
            }
            Self::Stopping => {
                write!(f, "probing stops; probes in flight and their settle windows are waited for")
            }
            Self::Stopped { unsettled: 0 } => write!(f, "probing has ended"),
            Self::Stopped { unsettled } => {
                write!(
                    f,
                    "probing has ended; the settle window of {unsettled} probes was cut short"
                )
            }
        }
    }
}
