//! The health loop of a small load balancer: one task for each backend, one checker for all.
//!
//! ```text
//! cargo run --example balancer
//! ```
//!
//! It starts its own backends on loopback: three that serve, one that has crashed, one whose accept queue
//! is full, and one that comes back half-way. It checks each ten times, prints a table and exits.

use std::{
    error::Error,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use probe_agent_checker::{CheckError, Checker, Outcome, Report};
use socket2::{Domain, Socket, Type};
use tokio::{task::JoinSet, time};

/// Number of checks of each backend.
const ROUNDS: usize = 10;
/// Time from one check of a backend to the next.
const INTERVAL: Duration = Duration::from_millis(100);
/// A backend that does not answer within this is down.
const TIMEOUT: Duration = Duration::from_millis(80);
/// Number of equal results in a row that put a backend into rotation or take it out. A single one may
/// mislead.
const STREAK: usize = 2;

/// What the balancer knows about a backend.
struct Backend {
    name: &'static str,
    address: SocketAddr,
    in_rotation: bool,
    reports: Vec<Report>,
}

impl Backend {
    fn new(name: &'static str, address: SocketAddr) -> Self {
        Self { name, address, in_rotation: false, reports: Vec::new() }
    }

    fn record(&mut self, report: Report) {
        self.reports.push(report);
        let last: Vec<bool> =
            self.reports.iter().rev().take(STREAK).map(Report::is_alive).collect();
        if last.len() == STREAK && last.iter().all(|alive| *alive != self.in_rotation) {
            self.in_rotation = !self.in_rotation;
        }
    }

    fn count(&self, outcome: Outcome) -> usize {
        self.reports.iter().filter(|r| r.outcome == outcome).count()
    }

    fn fastest(&self) -> String {
        let fastest = self.reports.iter().filter_map(|r| r.handshake).min();
        fastest.map_or("-".to_owned(), |t| format!("{t:.1?}"))
    }
}

/// Checks one backend for all its rounds.
async fn watch(checker: Checker, mut backend: Backend) -> Result<Backend, CheckError> {
    let mut due = time::interval(INTERVAL);
    for _ in 0..ROUNDS {
        due.tick().await;
        backend.record(checker.check(backend.address, TIMEOUT).await?);
    }
    Ok(backend)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let serving = [listen(128)?, listen(128)?, listen(128)?];
    let crashed = listen(128)?.local_addr()?;
    let overloaded = listen(0)?;
    let _waiting = fill(overloaded.local_addr()?)?;
    let returning = listen(128)?.local_addr()?;
    let mut backends = vec![
        Backend::new("crashed", crashed),
        Backend::new("overloaded", overloaded.local_addr()?),
        Backend::new("returning", returning),
    ];
    for (name, listener) in ["web-1", "web-2", "web-3"].into_iter().zip(&serving) {
        backends.push(Backend::new(name, listener.local_addr()?));
    }

    // Probes use ports outside the ephemeral range, so that none takes the port of a backend that is down.
    let checker = Checker::builder().slots(64).source_ports(20_000..=20_999).build()?;
    println!("guard {}", checker.guard());
    let mut tasks = JoinSet::new();
    for backend in backends {
        tasks.spawn(watch(checker.clone(), backend));
    }
    time::sleep(INTERVAL * u32::try_from(ROUNDS / 2)?).await;
    let _returned = TcpListener::bind(returning)?;
    let mut backends = tasks.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;

    backends.sort_by_key(|b| b.name);
    println!("backend     alive refused timed_out  fastest    rotation");
    for backend in &backends {
        println!(
            "{:<11} {:>5} {:>7} {:>9}  {:<9}  {}",
            backend.name,
            backend.count(Outcome::Alive),
            backend.count(Outcome::Refused),
            backend.count(Outcome::TimedOut),
            backend.fastest(),
            if backend.in_rotation { "in" } else { "out" },
        );
    }
    let accepted: usize = serving.iter().map(accepted).sum();
    let stats = checker.stats();
    println!("{} checks, {accepted} connections accepted by the backends", stats.ended);
    Ok(())
}

/// A listener on a free port of loopback.
fn listen(backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(backlog)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Fills the accept queue of a listener with backlog 0: the kernel queues one more than that.
fn fill(address: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(address)
}

/// Number of connections that wait to be accepted. Each would be a check that was not half-open.
fn accepted(listener: &TcpListener) -> usize {
    std::iter::from_fn(|| listener.accept().ok()).count()
}
