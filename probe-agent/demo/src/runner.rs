//! Runs many scenarios at a time: most of their time they wait for the kernel's timers.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, Scope},
    time::Duration,
};

use super::{
    background::Background, error::DemoError, lab_setup::FirstPort, result::ScenarioResult,
    run::Prepared, scenario::Scenario,
};
use kernel::state_hook::StateHookChoice;
use lab::Family;
use model::errno::in_words;

/// How often [`RunnerEvent::Tick`] comes.
const TICK: Duration = Duration::from_millis(200);

/// A scenario over one family of addresses, seen through one state_hook of the tracepoints.
pub type Case = (&'static Scenario, Family, StateHookChoice);

/// What [`Runner::run`] reports, on the caller's thread.
#[derive(Debug)]
pub enum RunnerEvent {
    /// A case, by its index, has ended.
    Ended(usize, Box<ScenarioResult>),
    /// Some time has passed.
    Tick,
}

/// How one case ended; `None` where it was stopped.
type End = Result<Option<ScenarioResult>, DemoError>;

/// In which order the cases start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The longest first, because they decide how long the whole takes.
    LongestFirst,
    /// As they are listed.
    AsListed,
}

/// Runs cases, many at a time.
pub struct Runner<'a> {
    cases: &'a [Case],
    order: Order,
    background: Option<&'a Background<'a>>,
    first_port: FirstPort,
}

impl fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, order, background: _, first_port } = self;
        let mut shown = f.debug_struct("Runner");
        shown.field("cases", cases).field("order", order).field("first_port", first_port);
        shown.finish_non_exhaustive()
    }
}

impl<'a> Runner<'a> {
    /// Runs them alone, the longest first.
    #[must_use]
    pub const fn new(cases: &'a [Case]) -> Self {
        Self { cases, order: Order::LongestFirst, background: None, first_port: FirstPort::Own }
    }

    /// Changes the order.
    #[must_use]
    pub const fn order(self, order: Order) -> Self {
        Self { order, ..self }
    }

    /// Runs them beside other programs' connections.
    #[must_use]
    pub const fn beside(self, background: &'a Background<'a>) -> Self {
        Self { background: Some(background), ..self }
    }

    /// Changes the source ports.
    #[must_use]
    pub const fn first_port(self, first_port: FirstPort) -> Self {
        Self { first_port, ..self }
    }

    /// Runs all. `on_event` returns whether to go on; `stop` ends everything soon.
    ///
    /// # Errors
    /// The first error of a case. After `stop` there is none: an interrupt reaches the programs that
    /// the lab runs, too.
    pub fn run(
        &self,
        stop: &Arc<AtomicBool>,
        mut on_event: impl FnMut(RunnerEvent) -> bool,
    ) -> Result<(), DemoError> {
        let queue = Mutex::new(self.queue());
        // The engine sets its flag where this host refuses it something. That is no interrupt, so the cases
        // have a flag of their own.
        let (interrupted, stop) = (stop, &Arc::new(AtomicBool::new(false)));
        let (ends, inbox) = mpsc::channel();
        thread::scope(|scope| {
            // Making labs and loading hooks takes a processor: as many threads do it as can run at once.
            let threads = thread::available_parallelism().map_or(1, usize::from);
            let prepare = || {
                let (queue, ends) = (&queue, ends.clone());
                start(scope, move || self.prepare(scope, queue, &ends, stop))
            };
            // Fewer do it, too, as long as there is one.
            let started: Vec<_> = (0..threads).map(|_| prepare()).collect();
            if started.iter().all(Result::is_err) {
                return started.into_iter().collect();
            }
            drop(ends);
            loop {
                if interrupted.load(Ordering::Relaxed) {
                    stop.store(true, Ordering::Relaxed);
                }
                let go_on = match inbox.recv_timeout(TICK) {
                    Ok((index, Ok(Some(result)))) => {
                        on_event(RunnerEvent::Ended(index, Box::new(result)))
                    }
                    Ok((_, Ok(None))) => true,
                    Ok((_, Err(error))) => {
                        stop.store(true, Ordering::Relaxed);
                        if interrupted.load(Ordering::Relaxed) {
                            continue;
                        }
                        return Err(error);
                    }
                    Err(RecvTimeoutError::Timeout) => on_event(RunnerEvent::Tick),
                    Err(RecvTimeoutError::Disconnected) => return Ok(()),
                };
                if !go_on {
                    interrupted.store(true, Ordering::Relaxed);
                }
            }
        })
    }

    /// The indices of the cases. They are taken from the end.
    fn queue(&self) -> Vec<usize> {
        let mut queue: Vec<usize> = (0..self.cases.len()).rev().collect();
        match self.order {
            Order::AsListed => {}
            Order::LongestFirst => queue.sort_by_key(|&index| {
                let probing = &self.cases[index].0.probing;
                probing.timeout + probing.settle
            }),
        }
        queue
    }

    /// Prepares one case after the other, and runs each on a thread of its own.
    fn prepare<'scope, 'env: 'scope>(
        &'env self,
        scope: &'scope Scope<'scope, 'env>,
        queue: &'env Mutex<Vec<usize>>,
        ends: &Sender<(usize, End)>,
        stop: &'env Arc<AtomicBool>,
    ) {
        while !stop.load(Ordering::Relaxed) {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(index) = next else { return };
            let (scenario, family, state_hook) = self.cases[index];
            let ends = ends.clone();
            // Sending fails only when the receiver has returned an error, and no result matters any more.
            let result = ends.clone();
            let run = move |case: Prepared| {
                start(scope, move || drop(result.send((index, case.run(self.background, stop)))))
            };
            if let Err(error) =
                Prepared::new(scenario, family, state_hook, self.first_port).and_then(run)
            {
                drop(ends.send((index, Err(error))));
            }
        }
    }
}

/// Starts a thread.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), DemoError> {
    let started = thread::Builder::new().spawn_scoped(scope, work);
    started.map(drop).map_err(|error| DemoError::Thread(in_words(error)))
}
