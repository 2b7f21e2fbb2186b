//! The half-open handshakes: targets, slots and the engine that runs probes on them.

pub mod flow;
pub mod outcome;
pub mod record;
pub mod target;
