//! Where targets come from: written down, in files, or behind URLs.

use std::{borrow::Cow, marker::PhantomData};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::{labels::Labels, policy::WithPolicy};
use crate::{
    decode::{At, Lenient, one_or_many},
    values::{FilePath, HttpUrl, LabelValue, PathPattern, Refresh, TargetAddress},
};

/// Labels that several targets have.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Labelled {
    /// Labels of all targets. A target's own labels come over them.
    pub labels: Labels,
}

/// Targets that have settings in common.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Group {
    /// Labels of all targets of the group. A target's own labels come over them.
    pub(crate) labels: Labels,
    /// The targets of the group.
    #[schemars(with = "Vec<Shorthand<WithPolicy<TargetOwn>>>")]
    pub(crate) targets: Vec<Lenient<WithPolicy<TargetOwn>>>,
    /// Files with lists of targets of the group.
    #[schemars(with = "Vec<Shorthand<FileSd>>")]
    pub(crate) file_sd: Vec<Lenient<FileSd>>,
    /// URLs that return lists of targets of the group.
    #[schemars(with = "Vec<Shorthand<HttpSd>>")]
    pub(crate) http_sd: Vec<Lenient<HttpSd>>,
}

/// A target. `db.example:5432` alone is short for `address: db.example:5432`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetOwn {
    /// What to probe: `HOST:PORT`, or `HOST` alone with `ports`. Each address of a host name is probed.
    pub address: At<TargetAddress>,
    /// The name in reports, metrics and spans. Without it, the address.
    #[serde(default)]
    #[schemars(with = "At<LabelValue>")]
    pub name: Option<At<LabelValue>>,
    /// Labels of the target.
    #[serde(default)]
    pub labels: Labels,
}

/// Files with lists of targets, in the format of Prometheus' `file_sd_configs`. A path alone is short for `files`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSd {
    /// The files, `.json`, `.yaml` or `.yml`. The last part of a path may have one `*`.
    #[serde(deserialize_with = "one_or_many")]
    #[schemars(with = "OneOrMany<At<PathPattern>>")]
    pub files: Vec<At<PathPattern>>,
    /// How often the files are read again, beside when they change.
    #[serde(default)]
    #[schemars(with = "At<Refresh>", extend("default" = "5m"))]
    pub refresh_interval: Option<At<Refresh>>,
    /// Labels of all targets of these files. Labels in the files come over them.
    #[serde(default)]
    pub labels: Labels,
}

/// A URL that returns a list of targets, in the format of Prometheus' `http_sd_configs`. A URL alone is short for
/// `url`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSd {
    /// The URL. It must answer with status 200 and JSON.
    pub url: At<HttpUrl>,
    /// How often it is asked.
    #[serde(default)]
    #[schemars(with = "At<Refresh>", extend("default" = "1m"))]
    pub refresh_interval: Option<At<Refresh>>,
    /// A file with headers to send, one `name: value` in each line. Secrets belong here.
    #[serde(default)]
    #[schemars(with = "At<FilePath>")]
    pub headers_file: Option<At<FilePath>>,
    /// Labels of all targets of this list. Labels in the list come over them.
    #[serde(default)]
    pub labels: Labels,
}

impl FileSd {
    /// How often the files are read again.
    #[must_use]
    pub fn refresh(&self) -> Refresh {
        self.refresh_interval.map_or(Refresh::from_millis(300_000), |at| at.value)
    }
}

impl HttpSd {
    /// How often the URL is asked.
    #[must_use]
    pub fn refresh(&self) -> Refresh {
        self.refresh_interval.map_or(Refresh::from_millis(60_000), |at| at.value)
    }
}

/// For the schema: a map of keys, or the value of its first key alone.
pub(super) struct Shorthand<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for Shorthand<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let whole = generator.subschema_for::<T>();
        json_schema!({"anyOf": [{"type": "string", "minLength": 1}, whole]})
    }
}

/// For the schema: a value, or a list of them.
pub(super) struct OneOrMany<T>(PhantomData<T>);

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        let title = one.get("title").and_then(|title| title.as_str()).unwrap_or("value");
        let title = format!("{title} or list of {title}s");
        let list = json_schema!({"type": "array", "items": one.clone(), "minItems": 1});
        json_schema!({"title": title, "anyOf": [one, list]})
    }
}
