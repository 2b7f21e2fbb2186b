//! What connections of others lose while the agent runs beside them.
//!
//! The agent probes one target every 100 ms meanwhile: its hooks are in place, and it does next to
//! nothing else. Slices of the same load with and without it follow each other; each pair gives one
//! ratio. A third slice without it gives the ratio of nothing at all: the error of the method.

pub(crate) mod load;
mod nginx;

use std::{sync::mpsc, thread};

use anyhow::Result;
use serde::Serialize;

use self::load::{Kind, Load};
use crate::{
    arguments::Effort,
    child::Agent,
    median::{Spread, spread},
    target::Target,
};

/// The load that the target is about.
pub(crate) const NGINX: &str = "connections to nginx";

/// What a load lost.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SlowDown {
    pub(crate) load: &'static str,
    pub(crate) tracepoints: &'static str,
    /// CPU time of a piece of work without the agent, in nanoseconds.
    pub(crate) without_ns: Spread,
    /// How much more it takes with the agent, in per cent.
    pub(crate) percent: Spread,
    /// The same between two slices that are both without it.
    pub(crate) control_percent: Spread,
}

pub(crate) fn measure(effort: &Effort) -> Result<Vec<SlowDown>> {
    let kinds = [
        (Kind::Connections, "bare connections"),
        (Kind::Requests, "requests"),
        (Kind::Nginx, NGINX),
    ];
    // While the agent runs, a second thread of this process reads what it says; and with a second
    // thread every system call on a descriptor costs more (`fdget`). So there is one all the time.
    let (done, wait) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || wait.recv());
        let all = kinds
            .iter()
            .flat_map(|load| ["raw", "record"].map(|tracepoints| (load, tracepoints)))
            .map(|((kind, load), tracepoints)| {
                let slow = one(effort, *kind, load, tracepoints)?;
                let (median, control) = (slow.percent.median, slow.control_percent.median);
                eprintln!("{load}, {tracepoints}: {median:+.2} % (control {control:+.2} %)");
                Ok(slow)
            })
            .collect();
        drop(done);
        all
    })
}

fn one(
    effort: &Effort,
    kind: Kind,
    name: &'static str,
    tracepoints: &'static str,
) -> Result<SlowDown> {
    let target = Target::listen()?;
    let address = target.address().to_string();
    let arguments = [&address, "-c", "0", "-i", "100ms", "--settle", "10ms"];
    let mut load = Load::new()?;
    let (mut without, mut percent, mut control) = (Vec::new(), Vec::new(), Vec::new());
    // Caches and the table of connections as they will be.
    load.work(kind, effort.slice)?;
    for _ in 0..effort.pairs {
        let before = load.work(kind, effort.slice)?;
        let agent =
            Agent::start_and_wait(&[&arguments[..], &["--tracepoints", tracepoints]].concat())?;
        let with = load.work(kind, effort.slice)?;
        drop(agent);
        let after = load.work(kind, effort.slice)?;
        // The mean of before and after: what drifts slowly cancels out.
        let bare = f64::midpoint(before, after);
        without.push(bare);
        percent.push((with / bare - 1.0) * 100.0);
        control.push((after / before - 1.0) * 100.0);
    }
    Ok(SlowDown {
        load: name,
        tracepoints,
        without_ns: spread(without),
        percent: spread(percent),
        control_percent: spread(control),
    })
}
