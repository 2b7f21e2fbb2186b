//! Half-open TCP probes, explained by the kernel.
//!
//! To embed health checks in a program, take a [`Checker`](checker::Checker): build it once, share
//! its clones among all tasks and threads.
//!
//! ```
//! use std::time::Duration;
//! use probe_agent::checker::Checker;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let backend = std::net::TcpListener::bind("127.0.0.1:0")?;
//! # let address = backend.local_addr()?;
//! let checker = Checker::builder().build()?;
//! let report = checker.check(address, Duration::from_secs(1)).await?;
//! assert!(report.is_alive());
//! println!("{address}: {report}"); // 127.0.0.1:80: alive in 54.8µs
//! # Ok(())
//! # }
//! ```
//!
//! Any async runtime will do. [`checker`] says what a checker does to its host; the rest of the crate
//! is what the command `probe-agent` is made of.
//!
//! # Inside
//!
//! Data flows **probe -> trace -> correlate -> explain -> export**, in that order and no other.
//! `correlate` and `explain` are pure: no I/O, no clock reads.

pub mod check;
pub mod checker;
pub mod cli;
pub mod config;
pub mod correlate;
pub mod demo;
pub mod explain;
pub mod export;
pub mod lab;
pub mod monotonic;
mod prefetch;
pub mod probe;
pub mod report;
pub mod session;
pub mod signals;
pub mod trace;
pub mod words;
