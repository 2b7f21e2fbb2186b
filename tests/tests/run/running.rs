//! A running service that a test observes.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use probe_agent_tests::binary;
use tempfile::TempDir;

/// Far longer than anything here takes.
const ENOUGH: Duration = Duration::from_secs(60);

/// How often something is looked at that nobody reports.
const LOOK: Duration = Duration::from_millis(20);

/// A running service. Dropping it kills it.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    http: SocketAddr,
    directory: TempDir,
    manager: UnixDatagram,
}

impl Running {
    /// Starts it with a configuration. `text` gets the section for its HTTP server in front.
    pub(crate) fn start(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let manager = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        manager.set_read_timeout(Some(ENOUGH)).unwrap();
        // Free until a moment ago.
        let http = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let path = directory.path().join("agent.yaml");
        write(&path, &whole(http, text));
        let mut command = Command::new(binary::agent());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("NOTIFY_SOCKET", directory.path().join("notify"));
        command.arg("run").arg("--config").arg(&path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pipe = child.stderr.take().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { child, lines, http, directory, manager }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("agent.yaml")
    }

    /// Puts another configuration in the place of the old one.
    pub(crate) fn configure(&self, text: &str) {
        write(&self.path(), &whole(self.http, text));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    /// The next message with this text.
    pub(crate) fn message(&self, text: &str) -> String {
        let mut others = Vec::new();
        loop {
            match self.lines.recv_timeout(ENOUGH) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => others.push(line),
                Err(error) => panic!("{error}: no {text:?} in {others:#?}"),
            }
        }
    }

    /// What it reports to the service manager next.
    pub(crate) fn reported(&self) -> String {
        let mut buffer = [0; 500];
        let length = self.manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    /// The answer to a request, with its head.
    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Scrapes until a line fits, and returns it.
    pub(crate) fn metric(&self, fits: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + ENOUGH;
        loop {
            let text = self.get("/metrics");
            if let Some(line) = text.lines().find(|line| fits(line)) {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "{text}");
            thread::sleep(LOOK);
        }
    }

    /// Its exit code, and the messages that nobody has read.
    pub(crate) fn finish(mut self) -> (Option<i32>, Vec<String>) {
        let code = self.child.wait().unwrap().code();
        (code, self.lines.iter().collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has usually ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn whole(http: SocketAddr, text: &str) -> String {
    text.replace("HTTP", &format!("http: {{listen: '{http}'}}"))
}

fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + ENOUGH;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(LOOK);
    }
}
