//! The examples run as they are, with and without privileges.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Command, Output},
};

/// Runs an example that cargo has built beside this test.
fn run(name: &str, arguments: &[&str]) -> Output {
    let test = std::env::current_exe().expect("a test knows its own program");
    let target = test.parent().and_then(|deps| deps.parent()).map(PathBuf::from);
    let program = target.expect("a test lies in two directories").join("examples").join(name);
    let hint = "run `cargo build --package probe-agent-checker --examples`";
    assert!(program.is_file(), "{} is missing: {hint}", program.display());
    Command::new(program).args(arguments).output().unwrap()
}

/// The cells of the line that begins with a word.
fn line<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let cells = |line: &'a str| line.split_whitespace().collect::<Vec<_>>();
    text.lines().map(cells).find(|l| l.first() == Some(&first)).unwrap_or_default()
}

#[test]
fn the_balancer_runs() {
    let output = run("balancer", &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{text}");
    let row = |name| {
        let cells = line(&text, name);
        assert_eq!(cells.len(), 6, "{text}");
        let counts: Vec<u32> = cells[1..4].iter().map(|n| n.parse().unwrap()).collect();
        (counts, cells[5].to_owned())
    };
    assert_eq!(row("crashed"), (vec![0, 10, 0], "out".to_owned()), "{text}");
    assert_eq!(row("overloaded"), (vec![0, 0, 10], "out".to_owned()), "{text}");
    for name in ["web-1", "web-2", "web-3"] {
        let (counts, _) = row(name);
        assert_eq!(counts.iter().sum::<u32>(), 10, "{text}");
        assert!(counts[0] > 0 && counts[1] == 0, "{text}");
    }
    let (counts, _) = row("returning");
    assert!(counts[0] > 0 && counts[1] > 0, "{text}");
    assert!(text.contains("60 checks"), "{text}");
}

#[test]
fn one_address_is_checked() {
    let alive = run("check_once", &[]);
    let text = String::from_utf8(alive.stdout).unwrap();
    assert!(alive.status.success() && text.contains(": alive in "), "{text}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let named = run("check_once", &[&address]);
    assert!(named.status.success());
    assert!(String::from_utf8(named.stdout).unwrap().starts_with(&format!("{address}: alive")));
    drop(listener);
    let closed = run("check_once", &[&address]);
    let text = String::from_utf8(closed.stdout).unwrap();
    assert!(!closed.status.success() && text.contains("refused (Connection refused)"), "{text}");
    assert!(alive.stderr.is_empty() && closed.stderr.is_empty());
}
