//! Looks all names of a run up before it starts, and each of them again when its answer has grown old.

mod name;

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    fs::File,
    io,
    net::IpAddr,
    os::fd::AsFd,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use engine::names::{Names, Unresolved};
use model::{
    errno::{NameError, in_words},
    time_span::TimeSpan,
};
use nix::sched::{CloneFlags, setns};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    task::{self, JoinSet},
    time::{sleep_until, timeout_at},
};
use tracing::{debug, warn};

pub(crate) use self::name::Watched;
use self::name::{Change, Name, Update};
use super::{
    Choice,
    dns::{Dns, Found, NotFound},
    notices::Notices,
};

/// Lookups at the same time: enough to hide their latency, few enough for any resolver. Each may take four
/// descriptors.
const LOOKUPS: usize = 16;

/// The longest wait of the thread.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// How often the files are checked for changes, at most.
const FILES_VALID: Duration = Duration::from_secs(1);

/// All names of a run, after their first lookup.
pub(crate) struct NameWatch {
    runtime: Runtime,
    state: State,
}

struct State {
    names: Vec<Name>,
    by_host: HashMap<String, usize>,
    /// How many names have no answer yet.
    unanswered: usize,
    choice: Choice,
    dns: Arc<Dns>,
    files_checked: Instant,
    /// When which name is looked up next. A name that is being looked up is not in it.
    due: BinaryHeap<Reverse<(Instant, usize)>>,
    lookups: JoinSet<Result<Found, NotFound>>,
    looked_up: HashMap<task::Id, usize>,
    notices: Notices,
    /// Who follows the answers; `None` before the run.
    followers: Option<Arc<Names>>,
}

/// What [`State::turn`] has waited for.
enum Turn {
    /// An answer of a name server, or of a file.
    Answer,
    Other,
}

/// Looks all names up, each host once, and waits until all have an answer, but no longer than `patience`
/// after the last one. What has no answer by then is looked up on.
///
/// # Errors
/// This host refuses a descriptor for the client.
pub(crate) fn start(
    watched: Vec<Watched>,
    choice: Choice,
    patience: Duration,
) -> io::Result<NameWatch> {
    let runtime =
        Builder::new_current_thread().enable_io().enable_time().build().map_err(in_words)?;
    let now = Instant::now();
    let mut state = State {
        names: Vec::new(),
        by_host: HashMap::new(),
        unanswered: 0,
        choice,
        dns: runtime.block_on(async { Dns::read() }),
        files_checked: now,
        due: BinaryHeap::new(),
        lookups: JoinSet::new(),
        looked_up: HashMap::new(),
        notices: Notices::default(),
        followers: None,
    };
    watched.into_iter().for_each(|watched| state.add(watched, now));
    runtime.block_on(state.first(patience));
    state.notices.print(Instant::now());
    Ok(NameWatch { runtime, state })
}

impl NameWatch {
    /// The first answer for a host.
    pub(crate) fn answer(&self, host: &str) -> Result<&[IpAddr], Unresolved> {
        let name = self.state.by_host.get(host).and_then(|index| self.state.names.get(*index));
        match name.and_then(|name| name.answer.as_ref()) {
            Some(Ok(addresses)) => Ok(addresses),
            Some(Err(error)) => Err(error.errno()),
            None => Err(NameError::NoAnswer.errno()),
        }
    }

    /// The engine knows the name with this number by this host.
    pub(crate) fn follow(&mut self, host: &str, number: usize) {
        if let Some(index) = self.state.by_host.get(host) {
            self.state.names[*index].numbers.push(number);
        }
    }

    /// Looks the names up again when it is time, in a thread of its own in the network namespace of the run.
    ///
    /// # Errors
    /// This host refuses the thread.
    pub(crate) fn watch(
        self,
        followers: Arc<Names>,
        netns: Option<Arc<File>>,
    ) -> io::Result<Watching> {
        let Self { runtime, mut state } = self;
        state.followers = Some(followers);
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = thread::Builder::new().name("names".to_owned()).spawn(move || {
            if let Some(netns) = netns
                && let Err(error) = setns(netns.as_fd(), CloneFlags::CLONE_NEWNET)
            {
                warn!("names are not looked up again: cannot enter the network namespace: {error}");
                return;
            }
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = state.forever() => {}
                }
            });
        })?;
        Ok(Watching { stop, thread })
    }
}

/// The thread that looks names up again. It ends when this is dropped; [`Self::stop`] waits for that.
pub(crate) struct Watching {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Watching {
    /// Ends the thread.
    pub(crate) fn stop(self) {
        drop(self.stop);
        // The panic hook has already reported a panic.
        let _ = self.thread.join();
    }
}

impl State {
    fn add(&mut self, watched: Watched, now: Instant) {
        if let Some(index) = self.by_host.get(&watched.host) {
            let known = &mut self.names[*index].watched;
            known.interval = known.interval.min(watched.interval);
            return;
        }
        let index = self.names.len();
        self.unanswered += 1;
        self.by_host.insert(watched.host.clone(), index);
        self.due.push(Reverse((now, index)));
        self.names.push(Name::new(watched));
    }

    /// Until every name has an answer, if only that it has no address. The patience is for the name servers:
    /// a lookup that fails without an answer does not renew it.
    async fn first(&mut self, patience: Duration) {
        let mut until = Instant::now() + patience;
        while self.unanswered > 0 {
            match timeout_at(until.into(), self.turn()).await {
                Ok(Turn::Answer) => until = Instant::now() + patience,
                Ok(Turn::Other) => {}
                Err(_) => break,
            }
        }
        let now = Instant::now();
        let reason = format!("no answer from the resolver within {}", TimeSpan(patience));
        for name in self.names.iter_mut().filter(|name| name.answer.is_none()) {
            name.is_failing = true;
            self.notices.failed(&name.watched.host, &reason, false, now);
        }
    }

    async fn forever(&mut self) {
        loop {
            self.turn().await;
        }
    }

    /// Starts what is due and waits until something happens.
    async fn turn(&mut self) -> Turn {
        self.start_due(Instant::now());
        let until = self.next_time();
        tokio::select! {
            Some(ended) = self.lookups.join_next_with_id() => {
                let (id, result) = match ended {
                    Ok((id, result)) => (id, result),
                    Err(error) => {
                        let failed = NameError::Failed;
                        (error.id(), Err(NotFound { error: failed, reason: error.to_string() }))
                    }
                };
                let is_answer = result.as_ref().map_or_else(NotFound::is_certain, |_| true);
                if let Some(index) = self.looked_up.remove(&id) {
                    self.on_result(index, result, Instant::now());
                }
                if is_answer { Turn::Answer } else { Turn::Other }
            }
            () = sleep_until(until.into()) => {
                let now = Instant::now();
                if self.notices.due().is_some_and(|due| due <= now) {
                    self.notices.print(now);
                }
                Turn::Other
            }
        }
    }

    fn start_due(&mut self, now: Instant) {
        while self.looked_up.len() < LOOKUPS
            && let Some(Reverse((at, index))) = self.due.peek().copied()
            && at <= now
        {
            self.due.pop();
            if now - self.files_checked > FILES_VALID {
                self.files_checked = now;
                if self.dns.is_outdated() {
                    self.dns = Dns::read();
                }
            }
            let Some(name) = self.names.get(index) else { continue };
            let lookup =
                Arc::clone(&self.dns).look_up(name.watched.host.clone(), self.choice.families);
            self.looked_up.insert(self.lookups.spawn(lookup).id(), index);
        }
    }

    /// When [`Self::turn`] has something to do, apart from lookups that end.
    fn next_time(&self) -> Instant {
        let has_room = self.looked_up.len() < LOOKUPS;
        let lookup = self.due.peek().filter(|_| has_room).map(|Reverse((at, _))| *at);
        let never = Instant::now() + LONGEST_WAIT;
        lookup.into_iter().chain(self.notices.due()).min().unwrap_or(never)
    }

    fn on_result(&mut self, index: usize, result: Result<Found, NotFound>, now: Instant) {
        let Some(name) = self.names.get_mut(index) else { return };
        self.unanswered -= usize::from(name.answer.is_none());
        let Update { wait, change } = name.update(result, &self.choice);
        self.due.push(Reverse((now + wait, index)));
        match change {
            Change::None => {}
            Change::Recovered => self.notices.recovered(now),
            Change::Failed { reason, keeps } => {
                self.notices.failed(&name.watched.host, &reason, keeps, now);
            }
        }
        if let (Some(followers), Some(answer)) = (&self.followers, &name.answer) {
            let answer = answer.as_deref().map_err(|error| error.errno());
            for number in &name.numbers {
                if followers.set(*number, answer) {
                    debug!(name = name.watched.host, addresses = ?answer, "other addresses");
                }
            }
        }
    }
}
