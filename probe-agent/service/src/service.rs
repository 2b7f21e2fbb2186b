//! The loop of the service: it takes in settled probes, reloads, and keeps the workers going.

mod inbox;
mod limits;
mod outputs;
mod parts;
mod reading;
mod stop;

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use config::{capacity::Room, load::Loaded, schema::FoundLimits};
use engine::event_loop::Ended;
use kernel::clock::Clock;
use metrics::Metrics;
use otlp::Exporter;

pub use self::parts::{Control, Ending, Parts, StartError};
use self::{
    inbox::Inbox,
    outputs::Outputs,
    reading::{Read, Reading},
};
use crate::{
    file_watch::FileWatch,
    fleet::{Event, Fleet},
    names::Resolver,
    notice::Notice,
    recent::Recent,
    reload::{Configuration, ConfigurationSource},
    sampling::Sampling,
    sink::{SharedClock, SinkConfig},
    status::Status,
    systemd::{ServiceManager, State},
};

/// How long probes gather after some have come: waking this thread for each would cost more than all else.
const GATHER: Duration = Duration::from_millis(5);

/// How often what the service shows of itself is renewed, and the clocks are read.
const RENEW: Duration = Duration::from_secs(1);

/// The unusual probes that are kept: some kilobytes each.
const RECENT: usize = 512;

/// A service that has read its configuration and does not probe yet.
pub struct Service {
    reading: Reading,
    first: Option<Configuration>,
    watch: FileWatch,
    resolver: Box<dyn Resolver>,
    control: Arc<Control>,
    manager: ServiceManager,
    outputs: Outputs,
    sampling: Sampling,
    clock: SharedClock,
    limits: FoundLimits,
    metrics: Metrics,
    room: Room,
    traces: bool,
    /// What was warned of.
    warnings: Vec<String>,
    /// What is missing on this host and was reported.
    missing: HashSet<String>,
    fed: Instant,
    renewed: Instant,
}

impl Service {
    /// Reads the configuration.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(parts: Parts) -> Result<Self, StartError> {
        let Parts { path, overrides, room, resolver, metrics, traces, control, manager, report } =
            parts;
        let now = Instant::now();
        let mut watch = FileWatch::new([path.clone()], now);
        let mut source = ConfigurationSource::new(path, overrides, room);
        let first = source.read().map_err(StartError)?;
        crate::profile::profiles(first.plan.probes.iter().map(|probe| &*probe.policy))
            .map_err(|error| StartError(vec![error.to_string()]))?;
        let clock = Clock::sample().map_err(|e| StartError(vec![format!("the clocks: {e}")]))?;
        let clock = SharedClock::new(clock);
        watch.set_files(first.files.iter().cloned(), now);
        let outputs = Outputs {
            exporter: None,
            status: Status::new(Recent::new(RECENT)),
            metrics: metrics.clone(),
            clock: clock.clone(),
            report,
        };
        Ok(Self {
            watch,
            limits: first.loaded.agent().limits,
            first: Some(first),
            reading: Reading::new(source),
            resolver,
            control,
            manager,
            outputs,
            sampling: Sampling::default(),
            clock,
            metrics,
            room,
            traces,
            warnings: Vec::new(),
            missing: HashSet::new(),
            fed: now,
            renewed: now,
        })
    }

    /// The configuration that it starts with.
    #[must_use]
    pub fn configuration(&self) -> Option<&Loaded> {
        self.first.as_ref().map(|first| &first.loaded)
    }

    /// What it shows of itself.
    #[must_use]
    pub fn status(&self) -> Status {
        self.outputs.status.clone()
    }

    /// Probes until it is to end. `exporter` receives the spans.
    pub fn run(mut self, exporter: Option<Exporter>) -> Ending {
        let (channel, inbox) = mpsc::channel();
        let waiting = Arc::<AtomicUsize>::default();
        let sinks = SinkConfig {
            sampling: self.sampling.clone(),
            clock: self.clock.clone(),
            channel,
            waiting: Arc::clone(&waiting),
            exports: exporter.is_some(),
        };
        self.outputs.exporter = exporter;
        let mut fleet = Fleet::new(self.loop_limits(), self.rates(), self.metrics.clone(), sinks);
        let inbox = Inbox::new(inbox, waiting);
        if let Some(first) = self.first.take() {
            self.put_in_force(&mut fleet, first);
        }
        self.turn(&mut fleet);
        self.renew(&fleet);
        self.notify(State::Ready);
        let mut ended = Ended::default();
        while !self.control.stop.load(Ordering::Relaxed) {
            let taken = inbox.wait(&mut fleet, &mut self.outputs);
            self.turn(&mut fleet);
            self.join_ended(&mut fleet, &inbox, &mut ended);
            if taken > 0 {
                std::thread::sleep(GATHER);
            }
        }
        self.finish(fleet, &inbox, ended)
    }

    /// What is done beside taking in probes.
    fn turn(&mut self, fleet: &mut Fleet) {
        let now = Instant::now();
        let is_asked = self.control.reload.swap(false, Ordering::Relaxed);
        if self.watch.has_changed(now) || is_asked {
            self.reading.ask(is_asked);
        }
        if self.reading.begin() {
            self.notify(State::Reloading);
        }
        if let Some((read, is_asked)) = self.reading.done() {
            self.reload(fleet, read, is_asked);
        }
        for (name, answer) in self.resolver.changes() {
            for problem in fleet.set_answer(&name, answer) {
                self.report(&Notice::Warning(&problem));
            }
        }
        fleet.turn(now).iter().for_each(|event| self.report_event(event));
        self.feed(now);
        if now.saturating_duration_since(self.renewed) >= RENEW {
            self.renewed = now;
            self.renew(fleet);
        }
    }

    fn join_ended(&mut self, fleet: &mut Fleet, inbox: &Inbox, ended: &mut Ended) {
        let outputs = &mut self.outputs;
        let events = fleet
            .join_ended(Instant::now(), ended, |fleet| while inbox.take(fleet, outputs) > 0 {});
        events.iter().for_each(|event| self.report_event(event));
    }

    /// The configuration has been read again. If nobody has asked for it, one that is the same changes nothing.
    fn reload(&mut self, fleet: &mut Fleet, read: Read, is_asked: bool) {
        match read {
            Ok(same) if !is_asked && self.outputs.is_in_force(&same.hash) => {
                self.watch.set_files(same.files, Instant::now());
                self.warn(same.warnings);
            }
            Ok(configuration) => self.put_in_force(fleet, configuration),
            Err(problems) => self.refuse(&problems),
        }
        self.renew(fleet);
        self.notify(State::Ready);
    }

    fn put_in_force(&mut self, fleet: &mut Fleet, configuration: Configuration) {
        let Configuration { loaded, plan, hash, files, warnings } = configuration;
        self.watch.set_files(files, Instant::now());
        let targets = plan.targets;
        let changes = match fleet.apply(plan) {
            Ok(changes) => changes,
            Err(error) => return self.refuse(&[format!("{}: {error}", loaded.source())]),
        };
        for warning in warnings.iter().chain(&changes.problems) {
            self.report(&Notice::Warning(warning));
        }
        let agent = loaded.agent();
        if agent.limits != self.limits {
            let text =
                "agent.limits has changed: that takes effect when the agent is started again";
            self.report(&Notice::Warning(text));
        }
        let share = agent.otlp.clean_spans.as_ref().map_or(0.0, |share| share.value.fraction());
        self.sampling.set_share(share);
        self.resolver.watch(fleet.names());
        let generation = self.outputs.on_configured(hash);
        let changes = [changes.added, changes.removed, changes.changed];
        self.report(&Notice::Configured { generation, targets, changes });
    }

    fn refuse(&mut self, problems: &[String]) {
        // A file that is repaired is noticed.
        self.outputs.on_refused();
        for problem in problems {
            self.report(&Notice::Refused { problem });
        }
    }

    /// Reports warnings about the configuration, but none again that still holds.
    fn warn(&mut self, warnings: Vec<String>) {
        let before = std::mem::replace(&mut self.warnings, warnings);
        let new = self.warnings.iter().filter(|warning| !before.contains(warning));
        for warning in new {
            (self.outputs.report)(&Notice::Warning(warning));
        }
    }

    fn report(&mut self, notice: &Notice<'_>) {
        (self.outputs.report)(notice);
    }

    fn report_event(&mut self, event: &Event) {
        match event {
            Event::Degraded(missing) => {
                let missing = missing.iter().filter(|line| self.missing.insert((*line).clone()));
                for line in missing {
                    (self.outputs.report)(&Notice::Degraded(line));
                }
            }
            Event::Failed { targets, error } => {
                let (targets, reason) = (*targets, error.to_string());
                self.report(&Notice::CannotProbe { targets, reason: &reason });
            }
        }
    }

    /// Reports to the service manager. One that does not listen is asked again by the next report.
    fn notify(&self, state: State) {
        let _ = self.manager.report(state, None);
    }

    /// Feeds the watchdog of the service manager, if it is time.
    fn feed(&mut self, now: Instant) {
        let Some(interval) = self.manager.watchdog_interval() else { return };
        if now.saturating_duration_since(self.fed) >= interval / 2
            && self.outputs.status.alive().is_ok()
        {
            self.fed = now;
            self.notify(State::Watchdog);
        }
    }

    /// Renews what the service shows of itself, and reads the clocks: the wall clock may have been set.
    fn renew(&mut self, fleet: &Fleet) {
        if let Ok(clock) = Clock::sample() {
            self.clock.set(clock);
        }
        self.outputs.renew(fleet);
    }
}
