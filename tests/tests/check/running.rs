//! A running program that a test observes.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command},
    sync::{
        Arc, Mutex,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::support::Done;

/// Far longer than anything here takes: a run that takes so long hangs, and is killed.
const HANGS: Duration = Duration::from_secs(180);

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    out: Option<BufReader<ChildStdout>>,
    /// Its stderr so far, and the thread that reads it.
    stderr: Arc<Mutex<String>>,
    err: Option<JoinHandle<()>>,
    /// Dropped at the end, which ends the watchdog.
    _watchdog: Sender<()>,
}

impl Running {
    /// Starts a command whose streams were prepared.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stderr = Arc::new(Mutex::new(String::new()));
        let err = child.stderr.take().map(|pipe| {
            let stderr = Arc::clone(&stderr);
            thread::spawn(move || {
                let mut pipe = BufReader::new(pipe);
                let mut line = Vec::new();
                while pipe.read_until(b'\n', &mut line).unwrap() > 0 {
                    stderr.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            })
        });
        let out = child.stdout.take().map(BufReader::new);
        let (watchdog, dropped) = channel::<()>();
        let pid = pid(&child);
        thread::spawn(move || {
            if dropped.recv_timeout(HANGS) == Err(RecvTimeoutError::Timeout) {
                let _ = kill(pid, Signal::SIGKILL);
            }
        });
        Self { child, out, stderr, err, _watchdog: watchdog }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(pid(&self.child), signal).unwrap();
    }

    /// The next line on its stdout.
    pub(crate) fn text(&mut self) -> String {
        let mut line = String::new();
        self.out.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    /// The next line of JSON on its stdout.
    pub(crate) fn line(&mut self) -> Value {
        let line = self.text();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// Reads lines of JSON up to one that is wanted.
    pub(crate) fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.line();
            assert!(line.get("summary").is_none(), "the run ended first: {line}");
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Waits for a probe that starts well after this call, whatever was printed before.
    pub(crate) fn continues(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let from = now + Duration::from_millis(500);
        self.until(|probe| {
            let start: u128 = probe["start_unix_nano"].as_str().unwrap().parse().unwrap();
            start > from.as_nanos()
        });
    }

    /// Waits until its stderr contains a text.
    pub(crate) fn wait_for_stderr(&self, text: &str) {
        wait_until(text, || self.stderr.lock().unwrap().contains(text));
    }

    /// Closes the reading end of its stdout.
    pub(crate) fn stop_reading(&mut self) {
        self.out = None;
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Reads the rest of its output and waits for its end.
    pub(crate) fn finish(mut self) -> Done {
        let mut out = Vec::new();
        if let Some(stdout) = &mut self.out {
            stdout.read_to_end(&mut out).unwrap();
        }
        let code = self.child.wait().unwrap().code();
        if let Some(err) = self.err.take() {
            err.join().unwrap();
        }
        let err = std::mem::take(&mut *self.stderr.lock().unwrap());
        Done { code, out: String::from_utf8(out).unwrap(), err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// Waits for a condition; the bound only guards against hanging.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + HANGS;
    while !condition() {
        assert!(std::time::Instant::now() < end, "{what} did not happen");
        thread::sleep(Duration::from_millis(2));
    }
}
