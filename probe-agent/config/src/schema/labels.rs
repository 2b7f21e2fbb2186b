//! Labels of targets.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{
    decode::from_text,
    values::{LabelName, LabelValue},
};

/// Each label is part of every series of a target.
const MOST: usize = 32;

/// Labels. In metrics and spans they stand beside the target's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(BTreeMap<LabelName, LabelValue>);

impl Labels {
    /// Name and value of each, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a label.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These labels over others. Where both have a name, the value of these counts.
    #[must_use]
    pub fn over(&self, others: &Self) -> Self {
        let mut all = others.clone();
        all.0.extend(self.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        all
    }
}

impl FromIterator<(LabelName, LabelValue)> for Labels {
    fn from_iter<I: IntoIterator<Item = (LabelName, LabelValue)>>(labels: I) -> Self {
        Self(labels.into_iter().collect())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let labels = BTreeMap::deserialize(deserializer)?;
        if labels.len() > MOST {
            return Err(D::Error::custom(format!("{} labels; at most {MOST}", labels.len())));
        }
        Ok(Self(labels))
    }
}

impl<'de> Deserialize<'de> for LabelName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl<'de> Deserialize<'de> for LabelValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer)
    }
}

impl JsonSchema for Labels {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Labels".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let value = <LabelValue as crate::decode::Setting>::schema();
        schemars::json_schema!({
            "type": "object",
            "patternProperties": {"^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$": value},
            "additionalProperties": false,
            "maxProperties": MOST
        })
    }
}
