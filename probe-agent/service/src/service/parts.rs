//! What a service is made of, and how it ends.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use config::{capacity::Room, overrides::Overrides};
use metrics::Metrics;
use model::spans::SpanCounts;

use crate::{names::Resolver, notice::Notice, systemd::ServiceManager};

/// What others ask of the service. Signal handlers may set it.
#[derive(Debug, Default)]
pub struct Control {
    /// Reload the configuration.
    pub reload: AtomicBool,
    /// End.
    pub stop: AtomicBool,
}

/// What the service is made of.
pub struct Parts {
    /// The file of the configuration.
    pub path: PathBuf,
    /// What overrides it.
    pub overrides: Overrides,
    /// How many ports and descriptors there are.
    pub room: Room,
    /// Looks names up.
    pub resolver: Box<dyn Resolver>,
    /// The counts.
    pub metrics: Metrics,
    /// Whether kernel events are received. Without them, verdicts are inferred.
    pub traces: bool,
    /// What others ask.
    pub control: Arc<Control>,
    /// The service manager.
    pub manager: ServiceManager,
    /// Receives what an operator should know.
    pub report: Box<dyn FnMut(&Notice<'_>)>,
}

/// How a service ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ending {
    /// The spans of the export; `None` if there was none.
    pub spans: Option<SpanCounts>,
    /// Probes whose settle window was cut short.
    pub unsettled: u64,
}

/// Why a service cannot start, one line each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct StartError(pub Vec<String>);
