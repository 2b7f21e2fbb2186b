//! The `probe-agent` command.

fn main() {}
