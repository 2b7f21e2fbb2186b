//! Helpers for the tests and the benchmark.

pub mod background;
pub mod binary;
pub mod busy;
pub mod cgroup;
pub mod name_server;
pub mod namespaces;
pub mod network;
pub mod otlp;
pub mod overload;
pub mod peer;
pub mod plan;
mod privilege;
pub mod receiver;
pub mod rotel;
pub mod run;
pub mod sample;
pub mod segment;
pub mod tun;

pub use privilege::is_privileged;
