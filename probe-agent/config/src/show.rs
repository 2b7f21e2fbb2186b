//! What holds, and where each value comes from.

use serde_json::{Value, json};

use crate::{
    load::{Loaded, Section, SourceKey, SourceKind},
    origin::{Found, Layer},
    position::Position,
    schema::{FoundPolicy, Labels},
    target_names::names,
};

/// A setting, its value and the origin of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The key, as `agent.http.listen` or `interval`.
    pub key: String,
    /// The value; `None` if nobody sets it and it has no default.
    pub value: Option<Value>,
    /// What sets it.
    pub layer: Layer,
    /// The place in words.
    pub origin: String,
}

/// A target that is written in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownTarget {
    /// Its name.
    pub name: String,
    /// Its host, as written, and its port.
    pub address: (String, u16),
    /// Its labels.
    pub labels: Labels,
    /// The settings that hold for it.
    pub settings: Vec<Shown>,
}

/// Targets from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownSource {
    /// The source.
    pub source: SourceKey,
    /// The labels that its targets get.
    pub labels: Labels,
    /// The settings that hold for its targets.
    pub settings: Vec<Shown>,
}

/// The settings of the agent.
#[must_use]
pub fn agent(loaded: &Loaded) -> Vec<Shown> {
    let found = loaded.agent();
    let sections = [
        ("agent.http", found.http.values()),
        ("agent.otlp", found.otlp.values()),
        ("agent.limits", found.limits.values()),
    ];
    let shown = |(section, values): (&str, Values)| {
        values
            .into_iter()
            .map(|(key, value)| setting(loaded, format!("{section}.{key}"), value))
            .collect::<Vec<_>>()
    };
    sections.into_iter().flat_map(shown).collect()
}

/// The targets that are written in the configuration. With a name, only those that are called so.
#[must_use]
pub fn targets(loaded: &Loaded, only: Option<&str>) -> Vec<ShownTarget> {
    let mut all = Vec::new();
    for section in loaded.sections() {
        let labels = section.labels();
        for target in section.targets() {
            let found = section.policy(Some(target.settings));
            let address = &target.own.address.value;
            let name = target.own.name.as_ref().map(|name| name.value.as_str());
            let ports = found.ports.as_ref().map(|ports| ports.value.ports());
            let host = address.port().map_or(address.text(), |_| {
                address.text().rsplit_once(':').map_or(address.text(), |(host, _)| host)
            });
            for (name, port) in names(name, address, ports) {
                if only.is_none_or(|only| only == name) {
                    all.push(ShownTarget {
                        name,
                        address: (host.to_owned(), port),
                        labels: target.own.labels.over(&labels),
                        settings: settings(loaded, &found),
                    });
                }
            }
        }
    }
    all
}

/// The sources of further targets.
#[must_use]
pub fn sources(loaded: &Loaded) -> Vec<ShownSource> {
    let of = |section: Section<'_>| {
        let settings = settings(loaded, &section.policy(None));
        let common = section.labels();
        let shown = move |(source, labels): (SourceKey, Labels)| ShownSource {
            source,
            labels: labels.over(&common),
            settings: settings.clone(),
        };
        section.sources().into_iter().map(shown).collect::<Vec<_>>()
    };
    loaded.sections().flat_map(of).collect()
}

/// Everything as one JSON document; with `is_whole`, also the agent and the sources.
#[must_use]
pub fn document(loaded: &Loaded, targets: &[ShownTarget], is_whole: bool) -> Value {
    let labels = |labels: &Labels| -> Value {
        Value::Object(labels.iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
    };
    let targets = targets.iter().map(|target| {
        json!({
            "name": target.name,
            "host": target.address.0,
            "port": target.address.1,
            "labels": labels(&target.labels),
            "settings": list(&target.settings),
        })
    });
    let mut document = json!({"file": loaded.source(), "targets": targets.collect::<Vec<_>>()});
    if is_whole && let Some(object) = document.as_object_mut() {
        object.insert("agent".to_owned(), list(&agent(loaded)));
        let sources = sources(loaded).into_iter().map(|source| {
            let (kind, urls) = match &source.source.kind {
                SourceKind::Files(files) => ("file_sd", json!(files)),
                SourceKind::Url(_) => ("http_sd", json!(source.source.shown())),
            };
            json!({
                "kind": kind,
                "from": urls,
                "group": source.source.group,
                "labels": labels(&source.labels),
                "settings": list(&source.settings),
            })
        });
        object.insert("sources".to_owned(), sources.collect());
    }
    document
}

fn list(shown: &[Shown]) -> Value {
    let setting = |shown: &Shown| {
        json!({
            "key": shown.key,
            "value": shown.value,
            "layer": shown.layer.to_string(),
            "origin": shown.origin,
        })
    };
    shown.iter().map(setting).collect()
}

/// The values of a section.
type Values = Vec<(&'static str, Option<Found<Value>>)>;

fn settings(loaded: &Loaded, found: &FoundPolicy) -> Vec<Shown> {
    let policy = found.policy();
    let time = |time| Value::from(model::time_span::TimeSpan(time).to_string());
    let implied = |key| match key {
        "timeout" => Some(time(policy.timeout)),
        "fast_interval" => Some(time(policy.fast_interval)),
        _ => None,
    };
    let shown = |(key, value): (&'static str, Option<Found<Value>>)| {
        setting(loaded, key.to_owned(), value.or_else(|| implied(key).map(Found::built_in)))
    };
    found.values().into_iter().map(shown).collect()
}

fn setting(loaded: &Loaded, key: String, found: Option<Found<Value>>) -> Shown {
    let (layer, position) = found
        .as_ref()
        .map_or((Layer::BuiltIn, Position::NONE), |found| (found.layer, found.position));
    let origin = loaded.origin(&key, layer, position);
    Shown { key, value: found.map(|found| found.value), layer, origin }
}

#[cfg(test)]
mod tests {
    use super::{agent, sources, targets};
    use crate::{load::load, overrides::Overrides};

    const TEXT: &str = "\
agent: {limits: {workers: 2}}
defaults: {interval: 1s}
targets: [a:1]
groups:
  g:
    fast_interval: 500ms
    labels: {x: y}
    targets:
      - {address: '[::1]', ports: [1, 2], name: b, fall: 4}
    file_sd: [/a.json]
";

    fn lines(shown: &[super::Shown], keys: &[&str]) -> Vec<String> {
        let line = |key: &&str| {
            let shown = shown.iter().find(|shown| shown.key == *key).unwrap();
            let value = shown.value.as_ref().map_or("none".to_owned(), ToString::to_string);
            format!("{key}={value} ({})", shown.origin)
        };
        keys.iter().map(line).collect()
    }

    #[test]
    fn each_value_has_its_origin() {
        let flags = ["settle=3s".to_owned()];
        let variable = |name: &str| (name == "PROBE_AGENT_RISE").then(|| "7".to_owned());
        let overrides = Overrides::new(&flags, variable).unwrap();
        let loaded = load("f.yaml", TEXT.as_bytes(), overrides).unwrap();
        assert_eq!(
            lines(
                &agent(&loaded),
                &["agent.limits.workers", "agent.http.listen", "agent.limits.rate"]
            ),
            [
                "agent.limits.workers=2 (f.yaml:1:27)",
                "agent.http.listen=\"127.0.0.1:9655\" (built-in)",
                "agent.limits.rate=none (built-in)",
            ]
        );
        let all = targets(&loaded, None);
        let names: Vec<_> =
            all.iter().map(|t| (t.name.as_str(), t.address.0.as_str(), t.address.1)).collect();
        assert_eq!(names, [("a:1", "a", 1), ("b:1", "[::1]", 1), ("b:2", "[::1]", 2)]);
        assert_eq!(
            lines(
                &targets(&loaded, Some("b:2"))[0].settings,
                &["interval", "fast_interval", "timeout", "settle", "rise", "fall"]
            ),
            [
                "interval=\"1s\" (defaults, f.yaml:2:22)",
                "fast_interval=\"500ms\" (group, f.yaml:6:20)",
                "timeout=\"500ms\" (built-in)",
                "settle=\"3s\" (flag --set settle)",
                "rise=7 (environment PROBE_AGENT_RISE)",
                "fall=4 (f.yaml:9:58)",
            ]
        );
        let sources = sources(&loaded);
        assert_eq!((sources.len(), sources[0].source.shown()), (1, "/a.json".to_owned()));
        assert_eq!(sources[0].labels.get("group"), Some("g"));
    }
}
