//! Checks one address and prints the report.
//!
//! ```text
//! cargo run --example check_once -- 10.0.0.7:80
//! ```
//!
//! Without an address it checks a listener of its own. As root the check is guaranteed to stay half-open
//! and is timed by the kernel; without privileges it works too.

use std::{
    error::Error,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    time::Duration,
};

use probe_agent_checker::Checker;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // It listens until it is dropped.
    let own = TcpListener::bind("127.0.0.1:0")?;
    let address: SocketAddr = match std::env::args().nth(1) {
        Some(address) => address.parse()?,
        None => own.local_addr()?,
    };
    let checker = Checker::builder().slots(2).build()?;
    let report = checker.check_blocking(address, Duration::from_secs(1))?;
    println!("{address}: {report}");
    println!("half-open enforced: {} (guard {})", report.half_open_enforced, checker.guard());
    println!("timed by the kernel: {}", report.timed_by_kernel);
    checker.shutdown()?;
    Ok(if report.is_alive() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
