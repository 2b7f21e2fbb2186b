//! From the bytes of a file to a configuration that is consistent in itself.

mod rules;
mod section;
mod source;
mod targets;

use std::{collections::HashSet, sync::Arc};

pub use self::{
    section::{Section, StaticTarget},
    source::{SourceKey, SourceKind},
};
use crate::{
    decode,
    origin::{Found, Layer},
    overrides::Overrides,
    position::Position,
    problem::{Problem, Problems},
    schema::{
        Configuration, FoundHttp, FoundLimits, FoundOtlp, FoundPolicy, HttpSettings, LimitSettings,
        OtlpSettings, PolicySettings,
    },
    tree::{self, Format},
};

/// A valid configuration, with what overrides it.
#[derive(Clone, Debug)]
pub struct Loaded {
    source: Arc<str>,
    configuration: Configuration,
    overrides: Overrides,
}

/// What holds for the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundAgent {
    /// The HTTP server.
    pub http: FoundHttp,
    /// Where telemetry goes.
    pub otlp: FoundOtlp,
    /// What the agent may use.
    pub limits: FoundLimits,
}

/// Reads a file. `name` stands in messages; its end tells the format.
///
/// # Errors
/// Everything that is wrong with it, as far as the text can be parsed.
pub fn load(name: &str, bytes: &[u8], overrides: Overrides) -> Result<Loaded, Problems> {
    let source: Arc<str> = name.into();
    let (tree, mut problems) = tree::parse(&source, Format::of(name), bytes);
    let read = tree.map(|tree| decode::decode::<Configuration>(&source, &tree));
    let Some((configuration, found)) = read else { return Err(problems.sorted()) };
    problems.append(found);
    let loaded = Loaded { source, configuration: configuration.unwrap_or_default(), overrides };
    problems.append(loaded.problems());
    if problems.is_empty() { Ok(loaded) } else { Err(problems.sorted()) }
}

impl Loaded {
    /// The name of the file.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What holds for the agent.
    #[must_use]
    pub fn agent(&self) -> FoundAgent {
        let [flag, environment] = self.overrides.agent();
        let layers = [flag, environment, (Layer::File, &self.configuration.agent)];
        FoundAgent {
            http: HttpSettings::resolve(&layers.map(|(layer, agent)| (layer, &agent.http))),
            otlp: OtlpSettings::resolve(&layers.map(|(layer, agent)| (layer, &agent.otlp))),
            limits: LimitSettings::resolve(&layers.map(|(layer, agent)| (layer, &agent.limits))),
        }
    }

    /// What is valid but has a cost; one line each.
    #[must_use]
    pub fn warnings(&self) -> Problems {
        unique(&rules::warnings(self))
    }

    /// Where a value comes from, in words.
    #[must_use]
    pub fn origin(&self, key: &str, layer: Layer, position: Position) -> String {
        let file = format!("{}:{position}", self.source);
        match layer {
            Layer::Flag | Layer::Environment => {
                format!("{layer} {}", self.overrides.name(layer, key).unwrap_or(key))
            }
            Layer::File => file,
            Layer::Group | Layer::Defaults => format!("{layer}, {file}"),
            Layer::BuiltIn => layer.to_string(),
        }
    }

    /// What holds for a target, of a section or of its own.
    pub(crate) fn policy(
        &self,
        target: Option<&PolicySettings>,
        group: Option<&PolicySettings>,
    ) -> FoundPolicy {
        let [flag, environment] = self.overrides.policy();
        let defaults = self.configuration.defaults.get().map(|section| &section.policy);
        let of_file = [(Layer::File, target), (Layer::Group, group), (Layer::Defaults, defaults)];
        let written = of_file.into_iter().filter_map(|(layer, section)| Some((layer, section?)));
        let layers: Vec<_> = [flag, environment].into_iter().chain(written).collect();
        PolicySettings::resolve(&layers)
    }

    fn problems(&self) -> Problems {
        let mut problems = rules::problems(self);
        problems.append(targets::problems(self));
        unique(&problems)
    }

    /// A problem with a value, at the place of its origin.
    fn problem<T>(
        &self,
        found: Option<&Found<T>>,
        section: &str,
        key: &str,
        text: String,
    ) -> Problem {
        let (layer, position) =
            found.map_or((Layer::BuiltIn, Position::NONE), |f| (f.layer, f.position));
        let name = self.overrides.name(layer, key);
        Problem {
            source: name.map_or_else(|| Arc::clone(&self.source), Arc::from),
            position: Some(position)
                .filter(|position| *position != Position::NONE && name.is_none()),
            key: match (name, layer) {
                (Some(_), _) => String::new(),
                (None, Layer::Defaults) => format!("defaults.{key}"),
                (None, _) if section.is_empty() => key.to_owned(),
                (None, _) => format!("{section}.{key}"),
            },
            text,
        }
    }
}

/// Without repetitions: a setting of the defaults would be reported once for each group.
fn unique(problems: &Problems) -> Problems {
    let mut seen = HashSet::new();
    let mut unique = Problems::default();
    for problem in problems.iter() {
        let place = (Arc::clone(&problem.source), problem.position, problem.text.clone());
        if seen.insert(place) {
            unique.push(problem.clone());
        }
    }
    unique.leave_out(problems.left_out());
    unique
}

#[cfg(test)]
mod tests;
