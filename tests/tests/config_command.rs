//! `probe-agent config` from the outside: what is printed where, and the exit codes.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use probe_agent_tests::binary;
use serde_json::Value;

/// The exit code, stdout and stderr.
type Done = (Option<i32>, String, String);

/// Runs a command in a directory, with these variables and this text on stdin.
fn run(directory: &Path, arguments: &str, variables: &[(&str, &str)], stdin: &str) -> Done {
    let mut command = Command::new(binary::agent());
    command.arg("config").args(arguments.split_whitespace()).current_dir(directory);
    command.env_clear().envs(variables.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the agent");
    child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("a reader");
    let output = child.wait_with_output().expect("an end");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_example_is_valid() {
    let directory = tempfile::tempdir().expect("a directory");
    let (code, example, err) = run(directory.path(), "example", &[], "");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    fs::write(directory.path().join("a.yaml"), &example).expect("a file");
    let (code, out, err) = run(directory.path(), "check a.yaml", &[], "");
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out, "a.yaml: valid: 3 targets, 3 probes, 1 source of further targets\n");
    let (code, out, _) = run(directory.path(), "check -", &[], &example);
    assert_eq!((code, out.starts_with("stdin: valid: ")), (Some(0), true), "{out}");
}

#[test]
fn each_problem_is_a_line_on_stdout() {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name, text| fs::write(directory.path().join(name), text).expect("a file");
    write("a.yaml", "targets:\n- a\n- {address: b:1, intervall: 1s}\n");
    write("b.toml", "[agent]\nhttp = 1\n[agent]\n");
    write("c.yaml", "targets: [a:1]\ndefaults: {settle: 0}\n");
    let (code, out, err) = run(directory.path(), "check a.yaml b.toml c.yaml d.yaml", &[], "");
    assert_eq!(code, Some(2));
    assert_eq!(
        out,
        "a.yaml:2:3: targets[0]: \"a\" has no port; write HOST:PORT, or set ports\n\
         a.yaml:3:18: targets[1].intervall: unknown key; did you mean \"interval\"?\n\
         b.toml:3:2: not TOML: duplicate key\n\
         warning: c.yaml:2:20: defaults.settle: a server retransmits its SYN-ACK 1 s after a lost RST; with 0 \
         instead of 1100ms a clean probe is inferred, not confirmed\n\
         c.yaml: valid: 1 target, 1 probe, 0 sources of further targets\n\
         d.yaml: cannot read it: No such file or directory\n"
    );
    assert_eq!(err, "error: 3 invalid files\n");
    let (code, out, err) = run(directory.path(), "show a.yaml", &[], "");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(
        err,
        "error: a.yaml:2:3: targets[0]: \"a\" has no port; write HOST:PORT, or set ports (and 1 more: see \
         'probe-agent config check')\n"
    );
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "defaults: {interval: 9s, fall: 4}\ntargets: [a:1, {address: b:1, fall: 6}]\n";
    let variables =
        [("PROBE_AGENT_SETTLE", "3s"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")];
    let arguments = "show - --json --set rise=5";
    let (code, out, err) = run(directory.path(), arguments, &variables, text);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let document: Value = serde_json::from_str(&out).expect("JSON");
    let origin = |settings: &Value, key: &str| {
        let all = settings.as_array().expect("settings");
        let found = all.iter().find(|setting| setting["key"] == key).expect("the key");
        format!("{} {}", found["value"], found["origin"].as_str().expect("a text"))
    };
    let settings = &document["targets"][1]["settings"];
    for (key, expected) in [
        ("rise", "5 flag --set rise"),
        ("settle", "\"3s\" environment PROBE_AGENT_SETTLE"),
        ("fall", "6 stdin:2:37"),
        ("interval", "\"9s\" defaults, stdin:1:22"),
        ("expect", "\"open\" built-in"),
    ] {
        assert_eq!(origin(settings, key), expected);
    }
    assert_eq!(
        origin(&document["agent"], "agent.otlp.endpoint"),
        "\"http://c:4318\" environment OTEL_EXPORTER_OTLP_ENDPOINT"
    );
    let (code, out, _) = run(directory.path(), "show - --target b:1", &[], text);
    let fall = out.lines().find(|line| line.trim_start().starts_with("fall"));
    let words: Option<Vec<&str>> = fall.map(|line| line.split_whitespace().collect());
    assert_eq!((code, words), (Some(0), Some(vec!["fall", "6", "stdin:2:37"])), "{out}");
    let (code, _, err) = run(directory.path(), "show - --target c", &[], text);
    let expected = "error: --target \"c\": stdin has no such target\n";
    assert_eq!((code, err.as_str()), (Some(2), expected));
}

#[test]
fn a_wrong_flag_or_variable_is_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let check = |arguments, variables: &[(&str, &str)]| {
        let (code, out, err) = run(directory.path(), arguments, variables, "targets: [a:1]");
        assert_eq!(out.lines().count(), usize::from(code == Some(0)), "{out}");
        (code, err)
    };
    let (code, err) = check("check - --set intervall=1s", &[]);
    let expected = "error: --set intervall: unknown key; did you mean \"interval\"?\n";
    assert_eq!((code, err.as_str()), (Some(2), expected));
    let (code, err) = check("check -", &[("PROBE_AGENT_INTERVAL", "5")]);
    let expected = "error: PROBE_AGENT_INTERVAL: \"5\": no unit: write 5s or 5ms\n";
    assert_eq!((code, err.as_str()), (Some(2), expected));
    // It is noticed, but stops nobody: it may belong to another program.
    let (code, err) =
        check("check -", &[("PROBE_AGENT_INTERVALL", "5"), ("PROBE_AGENT_PORT", "x")]);
    let expected =
        "probe-agent: PROBE_AGENT_INTERVALL has no meaning; did you mean PROBE_AGENT_INTERVAL?\n";
    assert_eq!((code, err.as_str()), (Some(0), expected));
}

#[test]
fn the_schema_is_json() {
    let (code, out, _) = run(Path::new("/"), "schema", &[], "");
    let schema: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((code, &schema["title"]), (Some(0), &Value::from("Configuration of probe-agent")));
}
