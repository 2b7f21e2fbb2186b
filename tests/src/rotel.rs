//! Rotel, a real collector. It prints what it receives.

mod print;

pub use print::printed;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

/// Names the program; `cargo xtask test` sets it.
const PROGRAM: &str = "ROTEL_AGENT";
/// Set to 1 where everything that tests need is available.
const REQUIRE: &str = "PROBE_AGENT_REQUIRE_PRIVILEGE";
/// It takes half a second to start; after this long it never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much it prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// One line for each request.
    Basic,
    /// Every field of every span.
    Detailed,
}

/// A running collector; it is killed when dropped.
pub struct Rotel {
    child: Child,
    grpc: SocketAddr,
    http: SocketAddr,
    output: Arc<Output>,
}

#[derive(Default)]
struct Output {
    text: Mutex<String>,
    grown: Condvar,
}

impl Rotel {
    /// Starts one on free ports. `None`, with a line on standard error, where it is not installed.
    ///
    /// # Panics
    /// It is not installed although `PROBE_AGENT_REQUIRE_PRIVILEGE=1`, or it does not start.
    #[must_use]
    pub fn start(verbosity: Verbosity) -> Option<Self> {
        let Some(program) = std::env::var_os(PROGRAM) else {
            let test = std::thread::current();
            let test = test.name().unwrap_or("?");
            assert!(
                std::env::var_os(REQUIRE).is_none_or(|value| value != "1"),
                "{test} needs Rotel, and {REQUIRE}=1 requires it: set {PROGRAM} to its program, \
                 or run `cargo xtask test`"
            );
            // Written to the stream itself: the test harness hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "SKIPPED ({PROGRAM} is not set): {test}");
            return None;
        };
        let [grpc, http] = free_ports(own_address());
        let verbosity = if verbosity == Verbosity::Detailed { "detailed" } else { "basic" };
        let mut child = Command::new(program)
            .args(["start", "--exporter", "blackhole", "--debug-log", "traces"])
            .args(["--debug-log-verbosity", verbosity])
            .args(["--otlp-grpc-endpoint", &grpc.to_string()])
            .args(["--otlp-http-endpoint", &http.to_string()])
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program that ROTEL_AGENT names can be started");
        let output = Arc::<Output>::default();
        let stdout = child.stdout.take().expect("its output is piped");
        let reader = Arc::clone(&output);
        // Ends when the collector closes its output.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let mut text = reader.text.lock().expect("no test panics with this lock");
                text.push_str(&line);
                text.push('\n');
                reader.grown.notify_all();
            }
        });
        let mut rotel = Self { child, grpc, http, output };
        rotel.wait_until_it_listens();
        Some(rotel)
    }

    fn wait_until_it_listens(&mut self) {
        let end = Instant::now() + PATIENCE;
        for address in [self.grpc, self.http] {
            while TcpStream::connect(address).is_err() {
                let left = self.child.try_wait().expect("its own child can be asked");
                assert!(left.is_none(), "Rotel ended before it listened: {}", self.output());
                assert!(Instant::now() < end, "Rotel does not listen on {address}");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Where it takes OTLP over gRPC.
    #[must_use]
    pub fn grpc(&self) -> String {
        format!("http://{}", self.grpc)
    }

    /// Where it takes OTLP over HTTP.
    #[must_use]
    pub fn http(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Posts OTLP JSON to it.
    ///
    /// # Panics
    /// It does not take it.
    pub fn post_json(&self, body: &str) {
        let mut stream = TcpStream::connect(self.http).expect("it listens");
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n",
            self.http,
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("it reads the head");
        stream.write_all(body.as_bytes()).expect("it reads the body");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// What it has printed.
    ///
    /// # Panics
    /// A test panicked while it held the lock.
    #[must_use]
    pub fn output(&self) -> String {
        self.output.text.lock().expect("no test panics with this lock").clone()
    }

    /// Waits until what it has printed satisfies `enough`, and returns it.
    ///
    /// # Panics
    /// It does not happen within a few seconds.
    #[must_use]
    pub fn wait_for(&self, enough: impl Fn(&str) -> bool) -> String {
        let text = self.output.text.lock().expect("no test panics with this lock");
        let (text, _) = self
            .output
            .grown
            .wait_timeout_while(text, PATIENCE, |text| !enough(text))
            .expect("no test panics with this lock");
        assert!(enough(&text), "Rotel did not print what was waited for, but:\n{text}");
        text.clone()
    }

    /// Kills it, as a crash would.
    ///
    /// # Panics
    /// It cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("its own child can be killed");
        self.child.wait().expect("its own child can be awaited");
    }
}

impl Drop for Rotel {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address for one collector: 127.a.b.c of the process and the number of its collectors. On
/// 127.0.0.1 a connection of another test may take a port that was free a moment ago.
fn own_address() -> Ipv4Addr {
    static COLLECTORS: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, high, low, COLLECTORS.fetch_add(1, Ordering::Relaxed))
}

/// Two free ports of an address that no other test uses.
fn free_ports(address: Ipv4Addr) -> [SocketAddr; 2] {
    // Both are held before either is released: they differ.
    let listeners = [0; 2].map(|any| TcpListener::bind((address, any)));
    listeners.map(|listener| {
        let listener = listener.expect("the loopback has a free port");
        listener.local_addr().expect("a bound socket has an address")
    })
}
