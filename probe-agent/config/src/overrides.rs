//! Flags and variables of the environment, which override what files say.

mod keys;
mod layer;

pub use self::{
    keys::{keys, suspicious, variables},
    layer::Override,
};
use crate::{
    origin::Layer,
    problem::Problems,
    schema::{AgentSettings, PolicySettings},
};

/// What overrides the file. A setting of the policy overrides that of every target.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    flags: Override,
    environment: Override,
}

impl Overrides {
    /// Reads flags, as `KEY=VALUE`, and the variables that have a meaning. An empty variable counts as not set.
    ///
    /// # Errors
    /// A key that there is not, or a value that its setting cannot have.
    pub fn new(
        flags: &[String],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Problems> {
        let (flags, mut problems) = Override::of_flags(flags);
        let (environment, more) = Override::of_variables(variable);
        problems.append(more);
        if problems.is_empty() { Ok(Self { flags, environment }) } else { Err(problems) }
    }

    /// What was set for the agent, the strongest layer first.
    pub(crate) const fn agent(&self) -> [(Layer, &AgentSettings); 2] {
        [(Layer::Flag, &self.flags.agent), (Layer::Environment, &self.environment.agent)]
    }

    /// What was set for all targets, the strongest layer first.
    pub(crate) const fn policy(&self) -> [(Layer, &PolicySettings); 2] {
        [(Layer::Flag, &self.flags.policy), (Layer::Environment, &self.environment.policy)]
    }

    /// The flag or variable that set a key.
    pub(crate) fn name(&self, layer: Layer, key: &str) -> Option<&str> {
        match layer {
            Layer::Flag => self.flags.name(key),
            Layer::Environment => self.environment.name(key),
            Layer::File | Layer::Group | Layer::Defaults | Layer::BuiltIn => None,
        }
    }
}

#[cfg(test)]
mod tests;
