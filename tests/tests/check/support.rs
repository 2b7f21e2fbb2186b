//! Runs the program and reads its output.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use lab::Namespace;
use probe_agent_tests::binary;
use serde_json::Value;
use socket2::{Domain, Socket, Type};

use crate::running::Running;

/// The exit code and output of a run.
#[derive(Debug)]
pub(crate) struct Done {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// `probe-agent check` with arguments that are separated by spaces.
pub(crate) fn check(arguments: &str) -> Command {
    let mut command = Command::new(binary::agent());
    prepare(&mut command).arg("check").args(arguments.split_whitespace());
    command
}

/// The same, probing from inside a namespace of the lab.
pub(crate) fn check_in(namespace: &Namespace, arguments: &str) -> Command {
    let mut command = check(arguments);
    command.arg("--netns").arg(namespace.path());
    command
}

/// Clears the environment, so it cannot influence the program.
pub(crate) fn prepare(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Done {
    Running::start(command).finish()
}

impl Done {
    /// Its lines of JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(parse).collect()
    }

    /// The summary, which is the last line of JSON.
    pub(crate) fn summary(&self) -> Value {
        let last = self.lines().pop().unwrap_or_else(|| panic!("no line: {self:?}"));
        assert!(last["summary"].is_object(), "{last}");
        last["summary"].clone()
    }

    /// The probes of `--output jsonl`.
    pub(crate) fn probes(&self) -> Vec<Value> {
        let mut lines = self.lines();
        lines.pop();
        assert!(lines.iter().all(|line| line.get("summary").is_none()), "{self:?}");
        lines
    }
}

/// The program where any user may run it. Only its owner may have access to the build directory.
pub(crate) fn program_for_all() -> (Scratch, PathBuf) {
    let scratch = Scratch::new();
    let program = scratch.join("probe-agent");
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // This process does not copy it itself: a child of another thread could have the copy open for writing
    // when it is started (ETXTBSY).
    let mut copy = Command::new("install");
    let done = run(prepare(&mut copy).args(["-m", "755"]).args([&binary::agent(), &program]));
    assert_eq!(done.code, Some(0), "{done:?}");
    (scratch, program)
}

/// A temporary directory. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("probe-agent-check-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server on this host's loopback, for as long as the test program runs.
///
/// On a busy machine probes are closed late, and without the ACK guard their handshakes complete. The
/// server accepts those connections, so they do not fill its queue.
pub(crate) fn open_port(address: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
    address
}

/// A port of 127.0.0.1 where nothing listens and which no other socket gets.
pub(crate) fn closed_port() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}
