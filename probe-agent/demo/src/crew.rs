//! Plays many scenarios at a time: what they wait for are the kernel's timers.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, Scope},
    time::Duration,
};

use super::{
    error::DemoError,
    play::{Played, Ready},
    scenario::Scenario,
};
use kernel::state_hook::StateHookChoice;
use lab::Family;

/// How often the caller is told that time has passed.
const TICK: Duration = Duration::from_millis(200);

/// A scenario over one family of addresses, with a choice of the hook that reports state changes.
pub type Part = (&'static Scenario, Family, StateHookChoice);

/// What the caller is told, on its own thread.
pub enum News {
    /// A part, by its index, has been played.
    Played(usize, Box<Played>),
    /// Some time has passed.
    Tick,
}

/// The end of one part.
type End = Result<Option<Played>, DemoError>;

/// Plays all parts. `hear` says whether to go on; `stop` ends everything soon.
///
/// # Errors
/// The first error of a part. After `stop` there is none: an interrupt reaches the programs that
/// the lab runs, too.
pub fn play(
    parts: &[Part],
    stop: &Arc<AtomicBool>,
    mut hear: impl FnMut(News) -> bool,
) -> Result<(), DemoError> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // The longest first: they decide how long the whole takes.
    order.sort_by_key(|&index| {
        let probing = &parts[index].0.probing;
        probing.timeout + probing.settle
    });
    let queue = Mutex::new(order);
    let (ends, inbox) = mpsc::channel();
    thread::scope(|scope| {
        // Labs are made and hooks loaded by as many threads as can run: that takes a processor.
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            let (queue, ends) = (&queue, ends.clone());
            scope.spawn(move || make(scope, parts, queue, &ends, stop));
        }
        drop(ends);
        loop {
            let go_on = match inbox.recv_timeout(TICK) {
                Ok((index, Ok(Some(played)))) => hear(News::Played(index, Box::new(played))),
                Ok((_, Ok(None))) => true,
                Ok((_, Err(error))) => {
                    if stop.swap(true, Ordering::Relaxed) {
                        continue;
                    }
                    return Err(error);
                }
                Err(RecvTimeoutError::Timeout) => hear(News::Tick),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            if !go_on {
                stop.store(true, Ordering::Relaxed);
            }
        }
    })
}

/// Makes one lab after the other ready, and lets each play on a thread of its own.
fn make<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    parts: &'env [Part],
    queue: &'env Mutex<Vec<usize>>,
    ends: &Sender<(usize, End)>,
    stop: &'env Arc<AtomicBool>,
) {
    while !stop.load(Ordering::Relaxed) {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(index) = next else { return };
        let (scenario, family, state_hook) = parts[index];
        let tell = ends.clone();
        // The receiver is there as long as it may matter.
        match Ready::make(scenario, family, state_hook) {
            Ok(ready) => drop(scope.spawn(move || tell.send((index, ready.play_seen(stop))).ok())),
            Err(error) => drop(tell.send((index, Err(error)))),
        }
    }
}
