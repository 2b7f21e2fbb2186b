//! Files in, configurations or lines out.

use super::{Loaded, load};
use crate::overrides::Overrides;

fn read(text: &str) -> Result<Loaded, String> {
    read_with(text, &[])
}

fn read_with(text: &str, flags: &[&str]) -> Result<Loaded, String> {
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    let overrides = Overrides::new(&flags, |_| None).map_err(|problems| problems.to_string())?;
    load("f.yaml", text.as_bytes(), overrides).map_err(|problems| problems.to_string())
}

/// `interval=1s (defaults, f.yaml:1:2)` for the wanted keys of the first target.
fn policy(loaded: &Loaded, keys: &[&str]) -> Vec<String> {
    let section = loaded.sections().find(|s| s.targets().next().is_some()).unwrap();
    let target = section.targets().next().unwrap();
    let found = section.policy(Some(target.settings)).values();
    let shown = |key: &&str| {
        let (_, found) = found.iter().find(|(name, _)| name == key).unwrap();
        match found {
            None => format!("{key}=none"),
            Some(f) => format!("{key}={} ({})", f.value, loaded.origin(key, f.layer, f.position)),
        }
    };
    keys.iter().map(shown).collect()
}

const LAYERED: &str = "\
agent:
  limits: {workers: 3}
defaults:
  interval: 20s
  settle: 3s
  fall: 5
  labels: {site: a, team: b}
groups:
  db:
    settle: 4s
    fall: 6
    labels: {team: c}
    targets:
      - address: db.example:5432
        fall: 7
";

#[test]
fn each_layer_overrides_those_below_it() {
    let loaded = read_with(LAYERED, &["rise=9"]).unwrap();
    assert_eq!(
        policy(&loaded, &["rise", "fall", "settle", "interval", "expect", "mark"]),
        [
            "rise=9 (flag --set rise)",
            "fall=7 (f.yaml:15:15)",
            "settle=\"4s\" (group, f.yaml:10:13)",
            "interval=\"20s\" (defaults, f.yaml:4:13)",
            "expect=\"open\" (built-in)",
            "mark=none",
        ]
    );
    let section = loaded.sections().nth(1).unwrap();
    let labels: Vec<String> = section.labels().iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(labels, ["group=db", "site=a", "team=c"]);
    assert_eq!(loaded.agent().limits.workers.unwrap().value.get(), 3);
    let over = read_with(LAYERED, &["interval=30s", "agent.limits.workers=4"]).unwrap();
    assert_eq!(policy(&over, &["interval"]), ["interval=\"30s\" (flag --set interval)"]);
    assert_eq!(over.agent().limits.workers.unwrap().value.get(), 4);
}

#[test]
fn toml_says_the_same() {
    let toml = "[defaults]\ninterval = '20s'\n[[groups.db.targets]]\naddress = 'db.example:5432'\nmark = 0x2a\n";
    let overrides = Overrides::default();
    let loaded = load("f.toml", toml.as_bytes(), overrides).unwrap();
    assert_eq!(
        policy(&loaded, &["interval", "mark"]),
        ["interval=\"20s\" (defaults, f.toml:2:12)", "mark=\"0x2a\" (f.toml:5:8)"]
    );
}

#[test]
fn the_timeout_fits_the_interval_by_itself() {
    for (text, timeout) in [
        ("targets: [a:1]", 2000),
        ("targets: [{address: a:1, interval: 500ms}]", 500),
        ("targets: [{address: a:1, fast_interval: 1s}]", 1000),
        ("targets: [{address: a:1, timeout: 4s}]", 4000),
    ] {
        let loaded = read(text).unwrap();
        let section = loaded.sections().next().unwrap();
        let found = section.policy(Some(section.targets().next().unwrap().settings));
        assert_eq!(found.policy().timeout.as_millis(), timeout, "{text}");
    }
}

#[test]
fn what_does_not_fit_together_is_one_line_with_its_place() {
    for (text, line) in [
        (
            "targets: [{address: a:1, interval: 1s, fast_interval: 2s}]",
            "f.yaml:1:55: targets[0].fast_interval: fast_interval 2s is longer than interval 1s; write at most that",
        ),
        (
            "targets: [{address: a:1, interval: 1s}]\ndefaults: {timeout: 3s}",
            "f.yaml:1:36: targets[0].interval: timeout 3s is longer than interval 1s; write at most that",
        ),
        (
            "targets: [a:1, b:1]\ndefaults: {timeout: 9s}",
            "f.yaml:2:21: defaults.timeout: timeout 9s is longer than interval 5s; write at most that",
        ),
        (
            "groups: {g: {fast_interval: 1s, timeout: 2s, targets: [a:1]}}",
            "f.yaml:1:42: groups.g.timeout: timeout 2s is longer than fast_interval 1s; write at most that",
        ),
        (
            "targets: [a:1, b:2, a:1]",
            "f.yaml:1:21: targets[2]: \"a:1\" is a duplicate of line 1; remove it, or give it another name or label",
        ),
        (
            "targets:\n- {address: a, name: x, ports: 80}\n- {address: b:1, name: x}",
            "f.yaml:3:13: targets[1]: \"x\" is a duplicate of line 2; remove it, or give it another name or label",
        ),
        (
            "targets: [a]",
            "f.yaml:1:11: targets[0]: \"a\" has no port; write HOST:PORT, or set ports",
        ),
        (
            "targets: [\"[fe80::1]:80\"]",
            "f.yaml:1:11: targets[0]: \"[fe80::1]:80\": a link-local address needs its interface; write e.g. [fe80::1%eth0]:80, or set interface",
        ),
        (
            "targets: [{address: 10.0.0.7:80, source: '::1'}]",
            "f.yaml:1:21: targets[0]: \"10.0.0.7:80\" is IPv4, but source ::1 is IPv6; omit source, or put the families into groups",
        ),
        (
            "targets: [{address: a:1, freebind: true}]",
            "f.yaml:1:36: targets[0].freebind: needs source, the address that this host does not have",
        ),
        (
            "agent: {http: {listen: 0.0.0.0:9655}}",
            "f.yaml:1:24: agent.http.listen: 0.0.0.0:9655 can be reached from other hosts; set token_file or client_ca_file, or listen on 127.0.0.1",
        ),
        (
            "agent: {http: {key_file: /a}}",
            "f.yaml:1:26: agent.http.key_file: certificate_file is missing; one needs the other",
        ),
        (
            "agent: {limits: {workers: 4, slots: 2}}",
            "f.yaml:1:27: agent.limits.workers: each worker needs its own source port, but slots allows only 2; write at most that",
        ),
        (
            "agent: {limits: {targets: 1}}\ntargets: [a:1, b:1]",
            "f.yaml:1:27: agent.limits.targets: 2 targets, but at most 1 are allowed; raise it",
        ),
        (
            "file_sd: [/a.json, /b.json, {files: [/a.json]}]",
            "f.yaml:1:38: file_sd[2]: the same as file_sd[0]; remove one",
        ),
        (
            "groups: {g: {http_sd: ['http://a/?x', 'http://a/?x']}}",
            "f.yaml:1:39: groups.g.http_sd[1]: the same as groups.g.http_sd[0]; remove one",
        ),
        (
            "agent: {otlp: {endpoint: 'http://me:secret@a/?token=x'}}",
            "f.yaml:1:26: agent.otlp.endpoint: \"http://a/?***\": credentials do not belong into a URL, which is logged; use a file of headers",
        ),
        (
            "targets: ['http://me:secret@a/']",
            "f.yaml:1:11: targets[0]: \"http://a/\": this is a URL; write HOST:PORT, here a:80",
        ),
        ("file_sd: [{files: []}]", "f.yaml:1:19: file_sd[0].files: write at least one"),
        (
            "defaults: {interval: 0}",
            "f.yaml:1:22: defaults.interval: \"0\": too short; the minimum is 1ms",
        ),
        (
            "agent: {limits: {concurrency: 99999999999}}",
            "f.yaml:1:31: agent.limits.concurrency: \"99999999999\": write a whole number from 1 to 65535",
        ),
        (
            "groups: {\"\": {}}",
            "f.yaml: groups.: not the name of a group: write 1 to 1024 bytes without control characters",
        ),
    ] {
        assert_eq!(read(text).err().as_deref(), Some(line), "{text}");
    }
    let line = read_with("targets: [a:1]", &["timeout=9s"]).unwrap_err();
    assert_eq!(line, "--set timeout: timeout 9s is longer than interval 5s; write at most that");
}

#[test]
fn what_differs_is_no_duplicate() {
    for text in [
        "targets: [a:1, a:2]",
        "targets: [a:1, {address: a:1, name: b}]",
        "targets: [a:1, {address: a:1, labels: {x: y}}]",
        "targets: [a:1]\ngroups: {g: {targets: [a:1]}}",
        "targets: [{address: a, ports: [80, 81]}, a:82]",
    ] {
        assert!(read(text).is_ok(), "{text}");
    }
}

#[test]
fn errors_of_all_kinds_come_together_in_the_order_of_the_file() {
    let text = "\
targets:
  - a
  - {address: b:1, intervall: 1s, fall: 0}
  - {address: c:1, interval: 1s, timeout: 2s}
agent: {http: {lisen: x}}
targets: []
";
    let lines = read(text).unwrap_err();
    let expected = "\
f.yaml:2:5: targets[0]: \"a\" has no port; write HOST:PORT, or set ports
f.yaml:3:20: targets[1].intervall: unknown key; did you mean \"interval\"?
f.yaml:3:41: targets[1].fall: \"0\": write a whole number from 1 to 100
f.yaml:4:43: targets[2].timeout: timeout 2s is longer than interval 1s; write at most that
f.yaml:5:16: agent.http.lisen: unknown key; did you mean \"listen\"?
f.yaml:6:1: targets: given twice, first in line 1; remove one";
    assert_eq!(lines, expected);
}

#[test]
fn what_has_a_cost_is_a_warning() {
    for (text, line) in [
        ("", "f.yaml: no targets; add targets, file_sd or http_sd"),
        (
            "targets: [a:1]\ndefaults: {settle: 500ms}\ngroups: {g: {}, h: {}}",
            "f.yaml:2:20: defaults.settle: a server retransmits its SYN-ACK 1 s after a lost RST; with 500ms instead of 1100ms a clean probe is inferred, not confirmed",
        ),
        (
            "targets: [{address: a:1, settle: 0}, b:1]\ngroups: {g: {}}",
            "f.yaml:1:34: targets[0].settle: a server retransmits its SYN-ACK 1 s after a lost RST; with 0 instead of 1100ms a clean probe is inferred, not confirmed",
        ),
        ("file_sd: [/etc/a.json]", ""),
    ] {
        assert_eq!(read(text).unwrap().warnings().to_string(), line, "{text}");
    }
}
