//! What the service shows of itself to other threads: the values that a scrape reads, and whether it is well.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::{Duration, Instant},
};

use engine::gauges::Gauges;
use kernel::monotonic;
use metrics::{Configuration, Exporter, Sample, Worker};

use crate::recent::Recent;

/// A worker or a service that has not turned for so long does not work any more.
const DEAD: Duration = Duration::from_secs(10);

/// What the service shows of itself. Clones share it.
#[derive(Clone, Debug)]
pub struct Status {
    known: Arc<Mutex<Known>>,
    recent: Recent,
}

/// What the service itself has found out last.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) gauges: Vec<Arc<Gauges>>,
    pub(crate) events_lost: u64,
    pub(crate) exporter: Option<Exporter>,
    pub(crate) configuration: Configuration,
    pub(crate) capabilities: Vec<(&'static str, bool)>,
    /// What is missing on this host, one line each.
    pub(crate) missing: Vec<String>,
    /// Why some targets are not probed.
    pub(crate) not_ready: Option<String>,
    /// When the service itself turned last.
    pub(crate) turned: Instant,
}

impl Status {
    pub(crate) fn new(recent: Recent) -> Self {
        let known = Known {
            gauges: Vec::new(),
            events_lost: 0,
            exporter: None,
            configuration: Configuration {
                last_reload_successful: true,
                ..Configuration::default()
            },
            capabilities: Vec::new(),
            missing: Vec::new(),
            not_ready: Some("the configuration is not in force yet".to_owned()),
            turned: Instant::now(),
        };
        Self { known: Arc::new(Mutex::new(known)), recent }
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latest unusual probes.
    #[must_use]
    pub const fn recent(&self) -> &Recent {
        &self.recent
    }

    /// The values at this moment.
    #[must_use]
    pub fn sample(&self) -> Sample {
        let known = self.known();
        let now = monotonic::now();
        let worker = |gauges: &Arc<Gauges>| Worker {
            since_last_turn: gauges.since_last_turn(now),
            stalls: gauges.stalls(now),
            in_flight: gauges.in_flight.load(Ordering::Relaxed),
            settling: gauges.settling.load(Ordering::Relaxed),
        };
        Sample {
            version: env!("CARGO_PKG_VERSION"),
            workers: known.gauges.iter().map(worker).collect(),
            events_lost: known.events_lost,
            ports: None,
            exporter: known.exporter.clone(),
            configuration: known.configuration.clone(),
            capabilities: known.capabilities.clone(),
        }
    }

    /// Whether the service and its workers turn. Nothing outside of this host matters.
    ///
    /// # Errors
    /// What does not.
    pub fn alive(&self) -> Result<(), String> {
        let known = self.known();
        if known.turned.elapsed() > DEAD {
            return Err("the service does not turn".to_owned());
        }
        let now = monotonic::now();
        let mut workers = known.gauges.iter().enumerate();
        let dead =
            workers.find(|(_, gauges)| gauges.since_last_turn(now).is_some_and(|t| t > DEAD));
        dead.map_or(Ok(()), |(number, _)| Err(format!("worker {number} does not turn")))
    }

    /// How long ago each worker began its last turn, and at last the service itself; `None` before the first.
    #[must_use]
    pub fn turns(&self) -> Vec<Option<Duration>> {
        let known = self.known();
        let now = monotonic::now();
        let workers = known.gauges.iter().map(|gauges| gauges.since_last_turn(now));
        workers.chain([Some(known.turned.elapsed())]).collect()
    }

    /// What is missing on this host, its cost and the remedy; one line each.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        self.known().missing.clone()
    }

    /// Whether the configuration is in force, and all of its groups of targets are probed.
    ///
    /// # Errors
    /// What is not.
    pub fn probes(&self) -> Result<(), String> {
        self.known().not_ready.clone().map_or(Ok(()), Err)
    }

    /// Whether all targets are probed: the configuration is in force, and every group of workers runs. Hooks that
    /// cannot be attached are reported, and do not matter here.
    ///
    /// # Errors
    /// What is missing.
    pub fn ready(&self) -> Result<(), String> {
        self.alive()?;
        self.probes()
    }
}
