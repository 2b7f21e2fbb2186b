//! Counters of the packet filter: what was really sent and received.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use lab::Namespace;
use serde_json::Value;

/// Where a counter is attached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// Before routing: segments with an impossible source are counted too.
    Arrival,
    /// What the host itself sends.
    Departure,
}

/// Counts the first segments of handshakes that match, for as long as the namespace lives.
#[derive(Debug)]
pub(crate) struct Syns<'a> {
    namespace: &'a Namespace,
    table: String,
}

impl<'a> Syns<'a> {
    /// `expression` is nftables' own. `name` distinguishes the counters of a namespace.
    pub(crate) fn count(namespace: &'a Namespace, name: &str, at: At, expression: &str) -> Self {
        let table = format!("syns_{name}");
        let hook = match at {
            At::Arrival => "prerouting",
            At::Departure => "output",
        };
        let rules = format!(
            "add table inet {table}\n\
             add counter inet {table} seen\n\
             add chain inet {table} syns {{ type filter hook {hook} priority -400 ; }}\n\
             add rule inet {table} syns tcp flags & (syn | ack) == syn {expression} counter name seen\n"
        );
        nft(namespace, &["-f", "-"], &rules);
        Self { namespace, table }
    }

    /// How many there were.
    pub(crate) fn seen(&self) -> u64 {
        let answer =
            nft(self.namespace, &["-j", "list", "counter", "inet", &self.table, "seen"], "");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let objects = answer["nftables"].as_array().unwrap().iter();
        objects.filter_map(|object| object["counter"]["packets"].as_u64()).next().unwrap()
    }
}

fn nft(namespace: &Namespace, arguments: &[&str], input: &str) -> String {
    let mut command: Command = namespace.command("nft").unwrap();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{input}{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
