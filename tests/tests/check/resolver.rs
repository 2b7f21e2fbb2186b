//! Host names: each address is a target, answers are followed, and a bad name stops nobody else.

use std::{
    fmt::Write as _,
    fs,
    net::{IpAddr, SocketAddr, TcpListener},
    process::Command,
};

use lab::{Family, Lab};
use nix::sys::signal::Signal;
use probe_agent_tests::{
    binary,
    name_server::{Answer, NameServer},
    privileged,
};
use serde_json::Value;

use crate::{
    running::{Running, wait_until},
    support::{Done, Scratch, prepare, run},
};

/// A lab with a name server, and servers on both addresses at the same port.
struct Names {
    lab: Lab,
    server: NameServer,
    scratch: Scratch,
    _listeners: Vec<TcpListener>,
}

const PORT: u16 = 8000;

/// For `/etc/resolv.conf`: a lookup without an answer is over soon.
const OPTIONS: &str = "options timeout:1 attempts:1\n";

impl Names {
    fn new() -> Self {
        let lab = Lab::new().unwrap();
        let ips = [Family::V4, Family::V6].map(|family| lab.server_address(family));
        let (server, listeners) = lab
            .server()
            .run(|| {
                let listeners = ips.map(|ip| TcpListener::bind((ip, PORT)).unwrap());
                (NameServer::start(ips[0]).unwrap(), Vec::from(listeners))
            })
            .unwrap();
        let scratch = Scratch::new();
        fs::write(scratch.join("resolv.conf"), format!("nameserver {}\n{OPTIONS}", ips[0]))
            .unwrap();
        fs::write(scratch.join("hosts"), "").unwrap();
        Self { lab, server, scratch, _listeners: listeners }
    }

    fn ip(&self, family: Family) -> IpAddr {
        self.lab.server_address(family)
    }

    fn at(&self, family: Family) -> String {
        SocketAddr::new(self.ip(family), PORT).to_string()
    }

    fn set(&self, name: &str, families: &[Family]) {
        let ips = families.iter().map(|family| self.ip(*family)).collect();
        self.server.set(name, Answer::Addresses(ips, 1));
    }

    /// `check` from the lab's client, with its own files in /etc.
    fn check(&self, arguments: &str) -> Command {
        let mut command = Command::new("unshare");
        prepare(&mut command).args(["--mount", "sh", "-ec"]);
        command.arg(
            "mount --bind \"$1\" /etc/resolv.conf; mount --bind \"$2\" /etc/hosts; shift 2; \
             exec \"$@\"",
        );
        command.arg("sh").args(["resolv.conf", "hosts"].map(|name| self.scratch.join(name)));
        command.arg(binary::agent()).arg("check").args(arguments.split_whitespace());
        command.arg("--netns").arg(self.lab.client().path());
        command
    }

    fn run(&self, arguments: &str) -> Done {
        run(&mut self.check(&format!("{arguments} --no-kernel --settle 0 --output jsonl")))
    }
}

/// The addresses of the probes, sorted.
fn addresses(done: &Done) -> Vec<String> {
    let mut addresses: Vec<String> = done.probes().iter().map(address).collect();
    addresses.sort();
    addresses
}

fn address(probe: &Value) -> String {
    probe["address"].as_str().unwrap().to_owned()
}

#[test]
fn each_address_of_a_name_is_a_target() {
    privileged!();
    let names = Names::new();
    names.set("both.example", &[Family::V4, Family::V6]);
    names.set("one.example", &[Family::V4]);
    let (v4, v6) = (names.at(Family::V4), names.at(Family::V6));
    for (arguments, expected) in [
        ("one.example:8000", vec![&v4]),
        ("both.example:8000", vec![&v4, &v6]),
        ("both.example:8000 -4", vec![&v4]),
        ("both.example:8000 -6", vec![&v6]),
        // RFC 6724 prefers neither the unique local address of the lab nor its label.
        ("both.example:8000 --resolve first", vec![&v4]),
        ("both.example:8000 both.example:8000 -6", vec![&v6, &v6]),
    ] {
        let done = names.run(arguments);
        assert_eq!(done.code, Some(0), "{arguments}: {done:?}");
        assert_eq!(addresses(&done).iter().collect::<Vec<_>>(), expected, "{arguments}");
        let targets = done.summary()["targets"].as_array().unwrap().len();
        assert_eq!(targets, expected.len(), "{arguments}");
    }
}

#[test]
fn a_name_that_does_not_resolve_stops_nobody_else() {
    privileged!();
    let names = Names::new();
    names.set("good.example", &[Family::V4]);
    names.set("six.example", &[Family::V6]);
    names.server.set("none.example", Answer::Addresses(Vec::new(), 60));
    names.server.set("sink.example", Answer::Addresses(vec![[0, 0, 0, 0].into()], 60));
    names.server.set("broken.example", Answer::Failure);
    names.server.set("silent.example", Answer::Silence);
    let flags = "--timeout 500ms";
    for (name, errno, reason) in [
        ("bad.example", "EAI_NONAME", "there is no such name"),
        ("none.example", "EAI_NODATA", "it has no address"),
        ("sink.example", "EAI_NODATA", "its address 0.0.0.0 is not that of a host"),
        ("broken.example", "EAI_FAIL", "the name server answered: Server Failure"),
        ("silent.example", "EAI_AGAIN", "no answer from the resolver within 500ms"),
    ] {
        let done = names.run(&format!("{name}:8000 good.example:8000 {flags}"));
        assert_eq!(done.code, Some(1), "{done:?}");
        let line = format!(
            "probe-agent: cannot resolve {name}: {reason}; its probes are local errors until it \
             resolves"
        );
        let lines: Vec<&str> = done.err.lines().filter(|line| line.contains("resolve")).collect();
        assert_eq!(lines, [line], "{done:?}");
        let probes = done.probes();
        let bad = probes.iter().find(|probe| probe["target"] == format!("{name}:8000")).unwrap();
        assert_eq!([&bad["outcome"], &bad["errno_name"]], ["local_error", errno], "{bad}");
        assert_eq!([&bad["address"], &bad["error_type"]], ["unresolved", "name_not_resolved"]);
        assert_eq!(bad["verdicts"], serde_json::json!(["local_error"]));
        let sentence = bad["findings"][0]["sentence"].as_str().unwrap();
        assert!(sentence.contains("the name does not resolve"), "{bad}");
        let good = probes.iter().find(|probe| probe["target"] == "good.example:8000").unwrap();
        assert_eq!(good["outcome"], "alive", "{done:?}");
    }
    let done = names.run("six.example:8000 -4");
    assert!(done.err.contains("cannot resolve six.example: it has no IPv4 address;"), "{done:?}");
    let source = names.lab.client_address(Family::V4);
    let done = names.run(&format!("six.example:8000 --source {source}"));
    let reason = format!("it has no IPv4 address, which --source {source} needs;");
    assert!(done.err.contains(&reason), "{done:?}");
}

#[test]
fn a_long_run_follows_the_answers() {
    privileged!();
    let names = Names::new();
    let (v4, v6) = (names.at(Family::V4), names.at(Family::V6));
    let flags = "db.example:8000 -c 0 -i 50ms --timeout 500ms --no-kernel --settle 0 -o jsonl";
    let mut running = Running::start(&mut names.check(flags));
    assert_eq!(running.line()["errno_name"], "EAI_NONAME");
    names.set("db.example", &[Family::V4]);
    running.until(|probe| address(probe) == v4 && probe["outcome"] == "alive");
    names.set("db.example", &[Family::V6]);
    running.until(|probe| address(probe) == v6 && probe["outcome"] == "alive");
    // What has left the answer is not probed any more.
    for _ in 0..10 {
        assert_eq!(address(&running.line()), v6);
    }
    names.set("db.example", &[Family::V4, Family::V6]);
    running.until(|probe| address(probe) == v4);
    running.until(|probe| address(probe) == v6);
    // A name server that fails says nothing about the addresses that it returned.
    names.server.set("db.example", Answer::Silence);
    running.wait_for_stderr("its last addresses are still probed");
    running.continues();
    assert_eq!(running.line()["outcome"], "alive");
    names.server.set("db.example", Answer::NoName);
    running.until(|probe| probe["errno_name"] == "EAI_NONAME");
    running.signal(Signal::SIGINT);
    let done = running.finish();
    let summary = done.summary();
    let targets: Vec<String> = summary["targets"].as_array().unwrap().iter().map(address).collect();
    assert_eq!(targets, ["unresolved".to_owned(), v4, v6], "each address is one target");
}

#[test]
fn a_run_with_a_count_ends_whatever_the_answers() {
    privileged!();
    let names = Names::new();
    names.set("db.example", &[Family::V4]);
    let flags = "db.example:8000 -c 60 -i 50ms --no-kernel --settle 0 -o jsonl";
    let mut running = Running::start(&mut names.check(flags));
    running.line();
    names.set("db.example", &[Family::V6]);
    let done = running.finish();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.summary()["probes"], 60, "the new address takes over the probes that are left");
    let targets = done.summary()["targets"].as_array().unwrap().len();
    assert_eq!(targets, 2, "{done:?}");
}

#[test]
fn the_hosts_file_comes_first() {
    privileged!();
    let names = Names::new();
    names.set("db.example", &[Family::V6]);
    let line = format!("{} db.example\n", names.ip(Family::V4));
    fs::write(names.scratch.join("hosts"), line).unwrap();
    let done = names.run("db.example:8000");
    assert_eq!((addresses(&done), names.server.questions()), (vec![names.at(Family::V4)], 0));
}

#[test]
fn a_dead_resolver_delays_thousands_of_names_by_one_timeout() {
    privileged!();
    let names = Names::new();
    let mut targets = String::from("ADDRESS\n").replace("ADDRESS", &names.at(Family::V4));
    for number in 0..3_000 {
        let name = format!("n{number}.example");
        names.server.set(&name, Answer::Silence);
        writeln!(targets, "{name}:8000").unwrap();
    }
    fs::write(names.scratch.join("fleet"), targets).unwrap();
    let file = names.scratch.join("fleet");
    let done = names.run(&format!("--targets-file {} --timeout 300ms", file.display()));
    assert_eq!(done.code, Some(1), "{}", done.err);
    let summary = done.summary();
    assert_eq!(summary["outcomes"]["alive"], 1, "{}", done.err);
    assert_eq!(summary["outcomes"]["local_error"], 3_000);
    let lines: Vec<&str> = done.err.lines().filter(|line| line.contains("resolve")).collect();
    assert!(matches!(*lines, [line] if line.ends_with("(and 2,999 more names)")), "{lines:?}");
    // Each of the sixteen lookups at a time would take longer than the whole start.
    assert!(names.server.questions() < 1_000, "{} questions", names.server.questions());
}

#[test]
fn thousands_of_names_are_looked_up() {
    privileged!();
    let names = Names::new();
    let mut targets = String::new();
    for number in 0..3_000 {
        names.set(&format!("n{number}.example"), &[Family::V4]);
        writeln!(targets, "n{number}.example:8000").unwrap();
    }
    let file = names.scratch.join("fleet");
    fs::write(&file, targets).unwrap();
    let done = names.run(&format!("--targets-file {}", file.display()));
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert_eq!(done.summary()["outcomes"]["alive"], 3_000);
}

#[test]
fn a_dead_resolver_does_not_delay_the_end() {
    privileged!();
    let names = Names::new();
    names.server.set("db.example", Answer::Silence);
    let flags = "db.example:8000 -c 0 -i 1s --timeout 100ms --no-kernel --settle 0 -o jsonl";
    let mut running = Running::start(&mut names.check(flags));
    assert_eq!(running.line()["errno_name"], "EAI_AGAIN");
    let questions = names.server.questions();
    wait_until("another lookup", || names.server.questions() > questions);
    running.signal(Signal::SIGINT);
    let done = running.finish();
    assert_eq!(done.summary()["interrupted"], true, "{done:?}");
}
