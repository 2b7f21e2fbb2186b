//! The metrics of the whole agent.

mod probes;
mod state;

pub(super) use self::{probes::PROBES, state::STATE};
