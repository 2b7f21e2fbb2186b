//! A program outside of the workspace that embeds the checker: it checks a listener of its own and prints
//! what the checker reports. `cargo xtask package --check` builds and runs it.
#![forbid(unsafe_code)]

use std::{error::Error, net::TcpListener, sync::mpsc, time::Duration};

use probe_agent_checker::Checker;

/// Longer than any answer on loopback takes, however busy the machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn main() -> Result<(), Box<dyn Error>> {
    let backend = TcpListener::bind("127.0.0.1:0")?;
    let (sender, settled) = mpsc::channel();
    let checker = Checker::builder()
        .slots(2)
        .settle(Duration::from_millis(10))
        .on_settled(move |probe| drop(sender.send(probe)))
        .build()?;
    let report = checker.check_blocking(backend.local_addr()?, PATIENCE)?;
    println!("report: {report}");
    println!("half-open enforced: {}", report.half_open_enforced);
    println!("guard: {}", checker.guard());
    println!("tracing: {}", checker.tracing());
    for finding in settled.recv_timeout(PATIENCE)?.findings {
        println!("finding: {finding}");
    }
    checker.shutdown()?;
    Ok(())
}
