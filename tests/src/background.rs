//! Other programs' connections in the labs of probes: clients that connect, reset, are refused and go half-open.
//!
//! ```text
//!   client of the lab   over lo: every habit; to the server: from the ports beside those of the probes
//!   server of the lab   to a listener of the client, from the probes' own ports: every habit
//!   a twin of the lab   the probes' own 4-tuples: every habit, and half of all RSTs are lost
//! ```

mod habit;

use std::{
    fs::File,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::Duration,
};

use demo::ProbedLab;
use lab::{ClosedPort, End, Family, Fault, Lab, Listener, ListenerOptions, Namespace, Segment};
use nix::sched::{CloneFlags, setns};
use socket2::{Domain, Socket, Type};

pub use self::habit::{Counts, Habit};

/// Between two connections of a thread: many labs share few processors.
const PAUSE: Duration = Duration::from_millis(20);

/// Where the kernel chooses source ports from in the client's namespace: beside those of the probes.
const BESIDE: &str = "40003 40999";

/// What one client does again and again.
#[derive(Clone, Copy, Debug)]
struct Route {
    from: Option<SocketAddr>,
    to: SocketAddr,
    habit: Habit,
}

/// Clients and servers that run until this is dropped.
#[derive(Debug, Default)]
pub struct Traffic {
    threads: Vec<(Sender<()>, JoinHandle<()>)>,
    // What they connect to. Dropped after the threads have ended.
    servers: Vec<Servers>,
    sockets: Vec<Socket>,
    twin: Option<Lab>,
}

/// A listener and a closed port.
#[derive(Debug)]
struct Servers {
    open: Listener,
    closed: ClosedPort,
}

impl Servers {
    fn at(namespace: &Namespace, address: IpAddr) -> Self {
        let options = ListenerOptions::at(SocketAddr::new(address, 0));
        let open = Listener::open(namespace, &options).unwrap();
        Self { open, closed: ClosedPort::reserve(namespace, address).unwrap() }
    }

    /// Every habit, from a port or from one that the kernel chooses.
    fn routes(&self, from: Option<SocketAddr>) -> impl Iterator<Item = Route> {
        let (open, closed) = (self.open.address(), self.closed.address());
        Habit::ALL.into_iter().map(move |habit| {
            let to = if habit == Habit::Refused { closed } else { open };
            Route { from, to, habit }
        })
    }
}

impl Traffic {
    /// In a lab that is probed, and in a twin of it.
    ///
    /// # Panics
    /// Something that it needs cannot be made.
    #[must_use]
    pub fn beside(probed: &ProbedLab<'_>, counts: &'static Counts) -> Self {
        let mut traffic = Self::default();
        traffic.in_client(probed, counts);
        traffic.in_server(probed, counts);
        traffic.in_twin(probed, counts);
        traffic
    }

    /// Over the loopback of the caller's own namespace, from a port of the probes.
    ///
    /// # Panics
    /// Something that it needs cannot be made.
    #[must_use]
    pub fn here(port: u16, counts: &'static Counts) -> Self {
        let mut traffic = Self::default();
        let own = File::open("/proc/thread-self/ns/net").unwrap();
        let mut routes = Vec::new();
        for family in Family::ALL {
            let [open, closed] = [(); 2].map(|()| bound(loopback(family)));
            open.listen(1).unwrap();
            let from = Some(SocketAddr::new(loopback(family), port));
            // Nobody accepts, so no connection may be completed.
            for (habit, socket) in [(Habit::HalfOpen, &open), (Habit::Refused, &closed)] {
                let to = socket.local_addr().unwrap().as_socket().unwrap();
                routes.push(Route { from, to, habit });
            }
            traffic.sockets.extend([open, closed]);
        }
        traffic.run(own, routes, counts);
        traffic
    }

    fn in_client(&mut self, probed: &ProbedLab<'_>, counts: &'static Counts) {
        let (lab, family) = (probed.lab.lab(), family(probed));
        lab.client().sysctl("net.ipv4.ip_local_port_range", BESIDE).unwrap();
        let own = Servers::at(lab.client(), loopback(family));
        let there = Servers::at(lab.server(), lab.server_address(family));
        let mut routes: Vec<_> = own.routes(None).collect();
        routes.extend(there.routes(None).filter(|route| match route.habit {
            Habit::Closed | Habit::Reset => true,
            Habit::Refused => probed.server_may_reset,
            Habit::HalfOpen => false,
        }));
        if probed.target_is_shared {
            let to = probed.lab.address();
            let at_target = |habit| Route { from: None, to, habit };
            routes.extend([Habit::Closed, Habit::Reset].map(at_target));
        }
        self.servers.extend([own, there]);
        self.run(lab.client().file().unwrap(), routes, counts);
    }

    fn in_server(&mut self, probed: &ProbedLab<'_>, counts: &'static Counts) {
        let (lab, family) = (probed.lab.lab(), family(probed));
        let there = Servers::at(lab.client(), lab.client_address(family));
        let from = SocketAddr::new(lab.server_address(family), *probed.ports.start());
        let harmless = |route: &Route| probed.server_may_reset || route.habit == Habit::Closed;
        let routes = there.routes(Some(from)).filter(harmless).collect();
        self.servers.push(there);
        self.run(lab.server().file().unwrap(), routes, counts);
    }

    fn in_twin(&mut self, probed: &ProbedLab<'_>, counts: &'static Counts) {
        let family = family(probed);
        let twin = probed.lab.lab().twin().unwrap();
        twin.inject(&Fault::lost(Segment::Rst).percent(50)).unwrap();
        let options = ListenerOptions::at(probed.lab.address());
        let open = Listener::open(twin.namespace(End::Server), &options).unwrap();
        let closed = twin.closed_port(family).unwrap();
        let servers = Servers { open, closed };
        let address = twin.client_address(family);
        let from = probed.ports.clone().map(|port| Some(SocketAddr::new(address, port)));
        let routes = from.flat_map(|from| servers.routes(from)).collect();
        self.servers.push(servers);
        self.run(twin.client().file().unwrap(), routes, counts);
        self.twin = Some(twin);
    }

    /// Starts a thread in a namespace.
    fn run(&mut self, namespace: File, routes: Vec<Route>, counts: &'static Counts) {
        let (end, ended) = mpsc::channel();
        let body = move || {
            setns(namespace, CloneFlags::CLONE_NEWNET).unwrap();
            for route in routes.iter().cycle() {
                counts.add(route.habit, route.habit.connect(route.from, route.to));
                if ended.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("background".to_owned()).spawn(body).unwrap();
        self.threads.push((end, thread));
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        for (end, thread) in self.threads.drain(..) {
            drop(end);
            // A panic there has been printed, and the counts show that too little was done.
            let _ = thread.join();
        }
        self.servers.clear();
    }
}

/// A socket that holds a port.
fn bound(address: IpAddr) -> Socket {
    let address = SocketAddr::new(address, 0);
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket
}

fn family(probed: &ProbedLab<'_>) -> Family {
    match probed.lab.address() {
        SocketAddr::V4(_) => Family::V4,
        SocketAddr::V6(_) => Family::V6,
    }
}

const fn loopback(family: Family) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
        Family::V6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}
