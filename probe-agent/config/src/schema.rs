//! What can be written in a configuration. The doc comments are the text of docs/configuration.md.

mod agent;
mod labels;
mod policy;
mod sources;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(crate) use self::policy::SHORTEST_CONFIRMING_SETTLE;
use self::sources::Shorthand;
pub use self::{
    agent::{
        AgentSettings, FoundHttp, FoundLimits, FoundOtlp, HttpSettings, LimitSettings, OtlpSettings,
    },
    labels::Labels,
    policy::{FoundPolicy, NetworkPath, Policy, PolicySettings, WithPolicy},
    sources::{FileSd, Group, HttpSd, Labelled, TargetOwn},
};
use crate::decode::{Lenient, lenient};

/// The configuration of `probe-agent`.
///
/// A value is taken from the first of these that sets it: a flag (`--set KEY=VALUE`), a variable of the
/// environment, the target, its group, `defaults`, and what is built in.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    /// The agent itself.
    #[serde(deserialize_with = "lenient")]
    pub agent: AgentSettings,
    /// Labels and settings of all targets that do not have their own.
    #[schemars(with = "WithPolicy<Labelled>")]
    pub(crate) defaults: Lenient<WithPolicy<Labelled>>,
    /// Groups of targets, by name. A group overrides `defaults`, and its targets override the group. Each target
    /// of a group has the label `group`, unless it sets that label itself.
    #[schemars(with = "BTreeMap<String, WithPolicy<Group>>")]
    pub(crate) groups: BTreeMap<String, Lenient<WithPolicy<Group>>>,
    /// Targets without a group.
    #[schemars(with = "Vec<Shorthand<WithPolicy<TargetOwn>>>")]
    pub(crate) targets: Vec<Lenient<WithPolicy<TargetOwn>>>,
    /// Files with lists of targets, as Prometheus has them (`file_sd_configs`).
    #[schemars(with = "Vec<Shorthand<FileSd>>")]
    pub(crate) file_sd: Vec<Lenient<FileSd>>,
    /// URLs that return lists of targets, as Prometheus has them (`http_sd_configs`).
    #[schemars(with = "Vec<Shorthand<HttpSd>>")]
    pub(crate) http_sd: Vec<Lenient<HttpSd>>,
}
