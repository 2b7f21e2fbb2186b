//! What the agent costs unrelated connections.
//!
//! The agent probes one target every 100 ms meanwhile: its hooks are attached, and it does almost nothing
//! else. Each period with the agent gives one ratio, to the time before and after. The same ratio between
//! periods that are all without the agent is the control: the error of the method.

mod alternation;
pub(crate) mod load;
mod nginx;

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::Result;
use serde::Serialize;

use self::{
    alternation::{Periods, Taken},
    load::{Kind, Load},
};
use crate::{
    arguments::Effort,
    median::{Spread, middle, spread},
    target::Target,
};

/// The load that the target is defined for.
pub(crate) const NGINX: &str = "connections to nginx";

/// How much slower a load became.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SlowDown {
    pub(crate) load: &'static str,
    pub(crate) tracepoints: &'static str,
    /// CPU time of a request without the agent, in nanoseconds.
    pub(crate) without_ns: Spread,
    /// How much more it takes with the agent, in per cent, with the 95 % confidence interval.
    pub(crate) percent: Spread,
    /// The same between periods that are all without it.
    pub(crate) control_percent: Spread,
}

pub(crate) fn measure(effort: &Effort) -> Result<Vec<SlowDown>> {
    let connections = [(Kind::Connections, "bare connections"), (Kind::Nginx, NGINX)];
    let forms = ["auto", "raw"];
    connections
        .iter()
        .flat_map(|load| forms.map(|tracepoints| (load, tracepoints)))
        .chain([(&(Kind::Requests, "requests"), "auto")])
        .map(|((kind, load), tracepoints)| {
            let has_target = *load == NGINX && tracepoints == "auto";
            let pairs = if has_target { effort.nginx_pairs } else { effort.pairs };
            let taken = one(pairs, effort.slice, *kind, tracepoints)?;
            let slow = SlowDown {
                load,
                tracepoints,
                without_ns: spread(taken.without),
                percent: middle(taken.percent),
                control_percent: middle(taken.control_percent),
            };
            let Spread { median, low, high } = slow.percent;
            let control = slow.control_percent.median;
            eprintln!(
                "{load}, {tracepoints}: {median:+.2} % ({low:+.2} to {high:+.2}; control {control:+.2} %)"
            );
            Ok(slow)
        })
        .collect()
}

fn one(pairs: usize, slice: Duration, kind: Kind, tracepoints: &str) -> Result<Taken> {
    let target = Target::listen()?;
    let address = target.address().to_string();
    let arguments = [&address, "-c", "0", "-i", "100ms", "--tracepoints", tracepoints];
    let mut load = Load::new()?;
    // Warms up caches and the connection table.
    load.work(kind, slice)?;
    let stop = AtomicBool::default();
    thread::scope(|scope| {
        // This thread exists in all periods: in a process with two threads every system call on a
        // descriptor costs more (`fdget`).
        let passing = scope.spawn(|| {
            let _end = End(&stop);
            Periods::pass(pairs, slice, &arguments, &stop)
        });
        let batches = load.work_while(kind, || !stop.load(Ordering::Relaxed));
        stop.store(true, Ordering::Relaxed);
        let periods = passing.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(periods.take(&batches?))
    })
}

/// Ends the load when it is dropped, also by a panic.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
