//! Looks the names of the configuration up, for the service.
//!
//! When the configuration gets other names, all are looked up by a new watch, in a thread of its own; the watch
//! before goes on until that has its first answers.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use engine::names::{Names, NamesBuilder};
use model::{errno::NameError, target::Target};
use service::names::{Answer, Resolver};
use tracing::warn;

use crate::names::{self, Choice, Watched, Watching};

/// How long the first answers are waited for after the last one. The others come later.
const PATIENCE: Duration = Duration::from_secs(2);

/// A name that does not resolve is looked up again after at least this.
const INTERVAL: Duration = Duration::from_secs(5);

/// The names that are looked up.
#[derive(Default)]
pub(super) struct Lookups {
    wanted: HashSet<String>,
    /// A watch that has not got its first answers.
    next: Option<Receiver<Watch>>,
    watch: Option<Watch>,
}

/// Names that are looked up again and again.
struct Watch {
    names: Arc<Names>,
    /// The name, and the version of its answer that the service has.
    known: Vec<(String, Option<u32>)>,
    /// `None` if this host cannot look names up.
    thread: Option<Watching>,
}

impl Resolver for Lookups {
    fn watch(&mut self, names: HashSet<String>) {
        if names == self.wanted {
            return;
        }
        self.wanted.clone_from(&names);
        self.next = None;
        if names.is_empty() {
            self.replace(None);
            return;
        }
        let (sender, receiver) = mpsc::channel();
        let started = thread::Builder::new().name("names-start".to_owned()).spawn(move || {
            // The receiver is dropped if there are other names by now; the watch ends then.
            let _ = sender.send(start(names));
        });
        match started {
            Ok(_) => self.next = Some(receiver),
            Err(error) => {
                self.wanted.clear();
                warn!(
                    "cannot look names up: {error}; it is tried again with the next configuration"
                );
            }
        }
    }

    fn changes(&mut self) -> Vec<(String, Answer)> {
        if let Some(watch) = self.next.as_ref().and_then(|next| next.try_recv().ok()) {
            self.next = None;
            self.replace(Some(watch));
        }
        self.watch.as_mut().map(Watch::changes).unwrap_or_default()
    }
}

impl Lookups {
    fn replace(&mut self, watch: Option<Watch>) {
        if let Some(Watch { thread: Some(thread), .. }) = std::mem::replace(&mut self.watch, watch)
        {
            thread.stop();
        }
    }
}

impl Watch {
    fn changes(&mut self) -> Vec<(String, Answer)> {
        let mut changes = Vec::new();
        for (number, (name, known)) in self.known.iter_mut().enumerate() {
            if *known == Some(self.names.version_of(number)) {
                continue;
            }
            let (version, answer) = self.names.answer(number);
            *known = Some(version);
            changes.push((name.clone(), answer));
        }
        changes
    }
}

/// Looks names up, and waits for the first answers.
fn start(hosts: HashSet<String>) -> Watch {
    let watched = hosts.iter().map(|host| Watched { host: host.clone(), interval: INTERVAL });
    let mut watch = names::start(watched.collect(), Choice::default(), PATIENCE)
        .inspect_err(|error| warn!("cannot look names up: {error}; their probes are local errors"))
        .ok();
    let mut builder = NamesBuilder::default();
    let mut numbers = HashMap::new();
    for host in hosts {
        let target =
            Target { name: host.clone(), host: host.clone(), address: ([0, 0, 0, 0], 1).into() };
        let failed = Err(NameError::Failed.errno());
        let answer = watch.as_ref().map_or(failed, |watch| watch.answer(&host));
        let (number, _) = builder.name(&target, answer);
        if let Some(watch) = &mut watch {
            watch.follow(&host, number);
        }
        numbers.insert(number, host);
    }
    let names = Arc::new(builder.build());
    let thread = watch.and_then(|watch| {
        watch
            .watch(Arc::clone(&names), None)
            .inspect_err(|error| warn!("names are not looked up again: {error}"))
            .ok()
    });
    let known = (0..numbers.len()).filter_map(|n| Some((numbers.remove(&n)?, None))).collect();
    Watch { names, known, thread }
}
