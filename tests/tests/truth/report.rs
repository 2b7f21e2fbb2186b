//! Runs `probe-agent check` and reads what it claims.

use std::{
    net::SocketAddr,
    process::{Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use lab::Namespace;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use probe_agent_tests::binary;
use serde_json::Value;

/// Far longer than anything here takes: a run that takes so long hangs, and is killed.
const HANGS: Duration = Duration::from_secs(120);

/// What a run of the agent reported.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) code: Option<i32>,
    pub(crate) probes: Vec<Probe>,
    pub(crate) summary: Value,
}

/// One probe.
#[derive(Debug)]
pub(crate) struct Probe(pub(crate) Value);

/// Targets as arguments.
pub(crate) fn arguments(targets: &[SocketAddr]) -> String {
    targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// `probe-agent check` in a namespace, with arguments that are separated by spaces.
pub(crate) fn command(namespace: &Namespace, arguments: &str) -> Command {
    let mut command = Command::new(binary::agent());
    // The environment may not influence the program.
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.args(["check", "--require-kernel", "--output", "jsonl", "--netns"]);
    command.arg(namespace.path()).args(arguments.split_whitespace());
    command
}

/// Runs it to its end.
pub(crate) fn check(namespace: &Namespace, arguments: &str) -> Report {
    run(&mut command(namespace, arguments))
}

/// Runs a [`command`] to its end.
pub(crate) fn run(command: &mut Command) -> Report {
    let child = command.spawn().unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    // Dropped at the end, which ends the watchdog.
    let (watchdog, dropped) = channel::<()>();
    thread::spawn(move || {
        if dropped.recv_timeout(HANGS) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(pid, Signal::SIGKILL);
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(watchdog);
    let out = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let summary = lines.pop().and_then(|mut last| last.get_mut("summary").map(Value::take));
    let summary = summary
        .unwrap_or_else(|| panic!("no summary: {out}{}", String::from_utf8_lossy(&output.stderr)));
    let proofs = summary["proofs"].as_object().unwrap().values().filter_map(Value::as_u64);
    assert_eq!(summary["probes"], proofs.sum::<u64>(), "each probe has one proof: {summary}");
    Report { code: output.status.code(), probes: lines.into_iter().map(Probe).collect(), summary }
}

impl Report {
    /// The only probe of the run.
    #[track_caller]
    pub(crate) fn only(&self) -> &Probe {
        assert_eq!(self.probes.len(), 1, "{self:?}");
        &self.probes[0]
    }

    /// The probes of a target.
    pub(crate) fn of(&self, target: SocketAddr) -> impl Iterator<Item = &Probe> {
        let target = target.to_string();
        self.probes.iter().filter(move |probe| probe.0["address"] == target)
    }

    /// The only probe of a target.
    #[track_caller]
    pub(crate) fn to(&self, target: SocketAddr) -> &Probe {
        let probes: Vec<_> = self.of(target).collect();
        assert_eq!(probes.len(), 1, "{target}: {self:?}");
        probes[0]
    }

    /// How many probes had an outcome.
    #[track_caller]
    pub(crate) fn outcomes(&self, outcome: &str) -> u64 {
        self.summary["outcomes"][outcome].as_u64().unwrap()
    }
}

impl Probe {
    /// Its own address and port.
    pub(crate) fn local(&self) -> SocketAddr {
        self.0["local"].as_str().unwrap().parse().unwrap()
    }

    /// Each verdict with its proof, as `clean/confirmed`.
    pub(crate) fn verdicts(&self) -> Vec<String> {
        let findings = self.0["findings"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        findings.map(|f| text(&f["verdict"]) + "/" + &text(&f["proof"])).collect()
    }

    /// All sentences, evidence and advice.
    pub(crate) fn text(&self) -> String {
        let findings = self.0["findings"].as_array().unwrap();
        let mut text = Vec::new();
        for finding in findings {
            text.extend([&finding["sentence"], &finding["advice"]]);
            text.extend(finding["evidence"].as_array().unwrap().iter().map(|e| &e["text"]));
        }
        text.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
    }

    /// Asserts the outcome and all verdicts with their proofs.
    #[track_caller]
    pub(crate) fn is(&self, outcome: &str, verdicts: &[&str]) {
        assert_eq!(self.0["outcome"], outcome, "{self:#?}");
        assert_eq!(self.verdicts(), verdicts, "{self:#?}");
    }

    /// Asserts that it has none of these verdicts, whatever their proof.
    #[track_caller]
    pub(crate) fn lacks(&self, verdicts: &[&str]) {
        for verdict in self.verdicts() {
            let name = verdict.split('/').next().unwrap_or_default();
            assert!(!verdicts.contains(&name), "{name}: {self:#?}");
        }
    }

    /// Asserts that its text has each of these pieces.
    #[track_caller]
    pub(crate) fn says(&self, pieces: &[&str]) {
        let text = self.text();
        for piece in pieces {
            assert!(text.contains(piece), "{piece:?} is missing: {text}");
        }
    }

    /// Asserts that its text has none of these pieces.
    #[track_caller]
    pub(crate) fn never_says(&self, pieces: &[&str]) {
        let text = self.text();
        for piece in pieces {
            assert!(!text.contains(piece), "{piece:?}: {text}");
        }
    }
}
