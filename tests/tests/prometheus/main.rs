//! What Prometheus' own programs make of the agent's metrics.
//!
//! `promtool` and `prometheus` come with Debian's package `prometheus`, which `cargo xtask setup` installs.

mod contrib;
mod counted;
mod filled;
mod lint;
mod promtool;
mod scrape;
