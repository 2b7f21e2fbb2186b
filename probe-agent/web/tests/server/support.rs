//! A server with a few routes, and clients that are plain sockets.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    ops::Deref,
    pin::Pin,
    sync::{
        Arc, Condvar, Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use probe_agent_web::{
    Access, Handler, Limits, Listener, Request, Response, Route, Routes, Server, Stopped,
};
use tokio::sync::Notify;

pub(crate) const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Longer than any answer takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(30);

type Answer<'a> = Pin<Box<dyn Future<Output = Response> + Send + 'a>>;

/// A handler that is a function.
struct Answers<F>(F);

impl<F: Fn(&Request) -> Response + Send + Sync + 'static> Handler for Answers<F> {
    fn call(&self, request: Request) -> Answer<'_> {
        Box::pin(std::future::ready((self.0)(&request)))
    }
}

/// Answers when the test lets it.
#[derive(Clone)]
pub(crate) struct Waits(Arc<Gate>);

struct Gate {
    has_begun: SyncSender<()>,
    begun: Mutex<Receiver<()>>,
    release: Notify,
}

impl Waits {
    fn new() -> Self {
        let (has_begun, begun) = sync_channel(100);
        Self(Arc::new(Gate { has_begun, begun: Mutex::new(begun), release: Notify::new() }))
    }

    /// Returns when a request waits.
    pub(crate) fn begun(&self) {
        self.0.begun.lock().unwrap().recv_timeout(PATIENCE).unwrap();
    }

    pub(crate) fn release(&self) {
        self.0.release.notify_one();
    }
}

impl Handler for Waits {
    fn call(&self, _: Request) -> Answer<'_> {
        Box::pin(async {
            self.0.has_begun.try_send(()).unwrap();
            self.0.release.notified().await;
            Response::text(http::StatusCode::OK, "waited")
        })
    }
}

/// Holds up the whole server until the test lets it go on.
pub(crate) struct Blocks {
    has_begun: SyncSender<()>,
    begun: Mutex<Receiver<()>>,
    release: SyncSender<()>,
    released: Mutex<Receiver<()>>,
}

impl Blocks {
    fn new() -> Self {
        let (has_begun, begun) = sync_channel(1);
        let (release, released) = sync_channel(1);
        Self { has_begun, begun: Mutex::new(begun), release, released: Mutex::new(released) }
    }

    /// Returns when the server stands still.
    pub(crate) fn begun(&self) {
        self.begun.lock().unwrap().recv_timeout(PATIENCE).unwrap();
    }

    pub(crate) fn release(&self) {
        self.release.try_send(()).unwrap();
    }
}

impl Handler for Blocks {
    fn call(&self, _: Request) -> Answer<'_> {
        self.has_begun.try_send(()).unwrap();
        self.released.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        Box::pin(std::future::ready(Response::text(http::StatusCode::OK, "blocked")))
    }
}

/// Chunks without end, and a signal when they are given up.
struct Endless(Arc<Ended>);

#[derive(Default)]
pub(crate) struct Ended {
    is_over: Mutex<bool>,
    changed: Condvar,
}

impl Ended {
    pub(crate) fn wait(&self) {
        let over = self.is_over.lock().unwrap();
        let (over, _) = self.changed.wait_timeout_while(over, PATIENCE, |over| !*over).unwrap();
        assert!(*over, "the answer is still being made");
    }
}

impl Iterator for Endless {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        Some("x".repeat(64 << 10))
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        *self.0.is_over.lock().unwrap() = true;
        self.0.changed.notify_all();
    }
}

/// A running server, and what its routes wait for.
pub(crate) struct Running {
    server: Server,
    pub(crate) waits: Waits,
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) endless: Arc<Ended>,
}

impl Deref for Running {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Running {
    pub(crate) fn stop(self, within: Duration) -> Stopped {
        self.server.stop(within)
    }
}

pub(crate) fn start() -> Running {
    start_with(Access::default(), Limits::default())
}

pub(crate) fn start_with(access: Access, limits: Limits) -> Running {
    start_at(LOOPBACK, access, limits)
}

pub(crate) fn start_at(address: SocketAddr, access: Access, limits: Limits) -> Running {
    let (waits, endless) = (Waits::new(), Arc::<Ended>::default());
    let blocks = Arc::new(Blocks::new());
    let route = |path, handler: Arc<dyn Handler>| Route {
        path,
        title: "a page",
        is_open: path == "/open",
        at_once: if matches!(path, "/waits" | "/endless") { 1 } else { 10_000 },
        handler,
    };
    let ended = Arc::clone(&endless);
    let text = |text: &'static str| {
        Arc::new(Answers(move |_: &Request| Response::text(http::StatusCode::OK, text)))
    };
    let routes = Routes::new([
        route("/hello", text("hello\n")),
        route(
            "/open",
            Arc::new(Answers(|request: &Request| {
                let text = if request.is_authorized() { "known" } else { "unknown" };
                Response::text(http::StatusCode::OK, text)
            })),
        ),
        route(
            "/chunks",
            Arc::new(Answers(|_: &Request| {
                let chunks = ["one", "two", "three"].into_iter().map(String::from);
                Response::chunks("text/plain", chunks)
            })),
        ),
        route(
            "/endless",
            Arc::new(Answers(move |_: &Request| {
                Response::chunks("text/plain", Endless(Arc::clone(&ended)))
            })),
        ),
        route("/waits", Arc::new(waits.clone())),
        route("/blocks", Arc::clone(&blocks) as Arc<dyn Handler>),
    ]);
    let listener = Listener::bind(address, access).unwrap();
    let server = Server::start(listener, routes, limits).unwrap();
    Running { server, waits, blocks, endless }
}

pub(crate) fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect_timeout(&server.address(), PATIENCE).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything until the end of the connection, which may be a reset.
pub(crate) fn read(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    if let Err(error) = stream.read_to_end(&mut text) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Sends a request and reads everything that comes back.
pub(crate) fn ask(server: &Server, request: &str) -> String {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    read(stream)
}
