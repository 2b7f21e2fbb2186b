//! Lists of targets from outside, as Prometheus reads them: `[{"targets": [...], "labels": {...}}]`.

mod list;
mod source;

pub use self::{
    list::{DiscoveredTarget, TargetList, parse},
    source::{Decision, Offered, Reason, SourceState},
};

#[cfg(test)]
mod tests;
