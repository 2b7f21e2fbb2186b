//! The half-open handshakes: targets, slots and the engine that runs probes on them.

mod deadlines;
pub mod engine;
pub mod flow;
pub mod namespace;
pub mod outcome;
pub mod pace;
mod pool;
pub mod record;
pub mod requests;
pub mod schedule;
pub mod settings;
mod slot;
pub mod source;
pub mod target;
