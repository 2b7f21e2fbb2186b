//! One list.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Deserializer};

use crate::{
    decode::{At, Lenient, decode},
    problem::{Problem, Problems},
    schema::Labels,
    tree::{self, Format},
    values::TargetAddress,
};

/// A target of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredTarget {
    /// Its address.
    pub address: TargetAddress,
    /// The labels of its group in the list.
    pub labels: Arc<Labels>,
}

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetList {
    /// The targets.
    pub targets: Vec<DiscoveredTarget>,
    /// What was left out, and why. One bad target does not cost the others.
    pub problems: Problems,
}

/// Targets with labels in common. Other keys have no meaning, as in Prometheus' JSON.
#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    targets: Vec<Lenient<At<TargetAddress>>>,
    #[serde(default)]
    labels: ForeignLabels,
}

/// Labels, without those that mean something to Prometheus only.
#[derive(Default)]
struct ForeignLabels(Labels);

impl<'de> Deserialize<'de> for ForeignLabels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all: BTreeMap<String, String> = BTreeMap::deserialize(deserializer)?;
        // Prometheus drops `__address__`, `__meta_…` and the like after relabelling, and takes an empty
        // label for none. What is no label there either, is left out, too.
        let kept = all
            .into_iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)));
        Ok(Self(kept.collect()))
    }
}

/// Reads a list. `name` is the file or the URL, for messages.
///
/// # Errors
/// The text is broken, or is no list at all.
pub fn parse(name: &str, format: Format, bytes: &[u8]) -> Result<TargetList, Problem> {
    let source: Arc<str> = name.into();
    let broken = |text: &str| Problem {
        source: Arc::clone(&source),
        position: None,
        key: String::new(),
        text: text.to_owned(),
    };
    let (tree, problems) = tree::parse(&source, format, bytes);
    let first = problems.iter().next().cloned();
    let Some(tree) = tree else { return Err(first.unwrap_or_else(|| broken("not a list"))) };
    if !matches!(tree.value, tree::Value::List(_)) {
        return Err(broken("not a list; write [{\"targets\": [\"HOST:PORT\"], \"labels\": {}}]"));
    }
    let (groups, problems) = decode::<Vec<Lenient<Group>>>(&source, &tree);
    let mut targets = Vec::new();
    for group in groups.into_iter().flatten().filter_map(|group| group.0) {
        let labels = Arc::new(group.labels.0);
        for address in group.targets.into_iter().filter_map(|target| target.0) {
            targets.push(DiscoveredTarget { address: address.value, labels: Arc::clone(&labels) });
        }
    }
    Ok(TargetList { targets, problems })
}
