//! Changes to a namespace of the lab that are no fault of the lab's own kinds.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use lab::Namespace;
use serde_json::Value;

/// Runs a batch of `ip` commands, one a line.
///
/// # Panics
/// One of them fails.
pub fn ip(namespace: &Namespace, batch: &str) {
    run(namespace, "ip", &["-batch", "-"], batch);
}

/// Runs `nft` commands, one a line, as one transaction.
///
/// # Panics
/// One of them fails.
pub fn nft(namespace: &Namespace, rules: &str) {
    run(namespace, "nft", &["-f", "-"], rules);
}

/// How many packets a named counter of nftables has counted. `counter` is its family, table and name.
///
/// # Panics
/// There is no such counter.
#[must_use]
pub fn counted(namespace: &Namespace, counter: &str) -> u64 {
    let query: Vec<_> =
        ["-j", "list", "counter"].into_iter().chain(counter.split_whitespace()).collect();
    let answer: Value = serde_json::from_str(&run(namespace, "nft", &query, "")).unwrap();
    let mut objects = answer["nftables"].as_array().unwrap().iter();
    objects.find_map(|object| object["counter"]["packets"].as_u64()).unwrap()
}

fn run(namespace: &Namespace, program: &str, arguments: &[&str], input: &str) -> String {
    let mut command: Command = namespace.command(program).unwrap();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{input}{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
