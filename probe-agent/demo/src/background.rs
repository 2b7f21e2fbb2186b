//! Other programs' connections beside the probes.

use std::{any::Any, ops::RangeInclusive};

use lab::ReadyLab;

/// Starts them in the lab of a scenario, before its first probe. They must end when the value is dropped, after
/// the last verdict.
pub type Background<'a> = dyn Fn(ProbedLab<'_>) -> Box<dyn Any> + Sync + 'a;

/// The lab of a scenario, and what others may do there without changing what the verdicts are compared with.
///
/// Nowhere may they leave half-open connections at the server, nor reset one there before it is complete.
#[derive(Clone, Debug)]
pub struct ProbedLab<'a> {
    /// The lab.
    pub lab: &'a ReadyLab,
    /// The probes' source ports.
    pub ports: RangeInclusive<u16>,
    /// Whether they may connect to the target: it is a server, and nothing is injected there.
    pub target_is_shared: bool,
    /// Whether the server's host may send RSTs: those of this scenario are not counted.
    pub server_may_reset: bool,
}
