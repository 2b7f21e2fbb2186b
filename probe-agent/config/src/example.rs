//! An example of a configuration, with every key.

/// The example, as YAML with comments.
pub const EXAMPLE: &str = include_str!("example.yaml");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::EXAMPLE;
    use crate::{load::load, overrides::Overrides, reference, tree};

    #[test]
    fn it_is_valid_without_a_warning() {
        let loaded = load("example.yaml", EXAMPLE.as_bytes(), Overrides::default());
        let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(loaded.warnings().to_string(), "");
    }

    /// The example with all that is commented out, except for sentences.
    fn uncommented() -> String {
        let line = |line: &str| {
            let text = line.trim_start();
            let indent = " ".repeat(line.len() - text.len());
            match text.strip_prefix("# ") {
                Some(rest) if rest.trim_start().split(' ').next()?.ends_with(':') => {
                    Some(format!("{indent}{rest}"))
                }
                Some(rest) if rest.trim_start().starts_with("- ") => {
                    Some(format!("{indent}{rest}"))
                }
                Some(_) => None,
                None => Some(line.to_owned()),
            }
        };
        EXAMPLE.lines().filter_map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_commented_out_is_valid_too() {
        let text = uncommented();
        let loaded = load("example.yaml", text.as_bytes(), Overrides::default());
        assert!(loaded.is_ok(), "{}\n{text}", loaded.unwrap_err());
    }

    #[test]
    fn it_has_every_key() {
        let (tree, _) = tree::parse(&"f".into(), tree::Format::Yaml, uncommented().as_bytes());
        let mut written = BTreeSet::new();
        keys(&tree.unwrap(), &mut written);
        for row in reference::rows() {
            assert!(written.contains(row.key.as_str()), "the example lacks {}", row.key);
        }
    }

    fn keys(node: &tree::Node, into: &mut BTreeSet<String>) {
        match &node.value {
            tree::Value::Null | tree::Value::Scalar(_) => {}
            tree::Value::List(items) => items.iter().for_each(|item| keys(item, into)),
            tree::Value::Map(entries) => {
                for entry in entries {
                    into.insert(entry.key.clone());
                    keys(&entry.value, into);
                }
            }
        }
    }

    #[test]
    fn the_json_schema_accepts_it_with_and_without_comments() {
        let validator = jsonschema::validator_for(&reference::json_schema()).unwrap();
        for text in [EXAMPLE.to_owned(), uncommented()] {
            let (tree, _) = tree::parse(&"f".into(), tree::Format::Yaml, text.as_bytes());
            let errors: Vec<String> = validator
                .iter_errors(&json(&tree.unwrap()))
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{}", errors.join("\n"));
        }
    }

    /// As an editor reads YAML, by the core schema.
    fn json(node: &tree::Node) -> serde_json::Value {
        match &node.value {
            tree::Value::Null => serde_json::Value::Null,
            tree::Value::Scalar(scalar) if scalar.is_quoted => scalar.text.clone().into(),
            tree::Value::Scalar(scalar) => match scalar.text.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                text => text.parse::<i64>().map_or_else(|_| text.into(), Into::into),
            },
            tree::Value::List(items) => items.iter().map(json).collect(),
            tree::Value::Map(entries) => {
                let entry = |entry: &tree::Entry| (entry.key.clone(), json(&entry.value));
                serde_json::Value::Object(entries.iter().map(entry).collect())
            }
        }
    }

    /// What the reader refuses, an editor marks, as far as a schema can tell.
    #[test]
    fn the_json_schema_refuses_what_the_reader_refuses() {
        let validator = jsonschema::validator_for(&reference::json_schema()).unwrap();
        for (text, is_valid) in [
            ("targets: [a:1, {address: b:1, mark: 42, ports: 80}]", true),
            ("targets: [{address: a:1, labels: {x: 1, y: true}}]", true),
            ("defaults: {settle: 0}", true),
            ("file_sd: [/a.json, {files: [/b.yml]}]", true),
            ("targets: [{name: a}]", false),
            ("targets: [{address: a:1, intervall: 1s}]", false),
            ("defaults: {interval: 5}", false),
            ("defaults: {fall: 0}", false),
            ("defaults: {expect: up}", false),
            ("defaults: {labels: {__x: y}}", false),
            ("groups: {g: {targets: [{address: a:1, rise: x}]}}", false),
            ("agent: {http: {lisen: x}}", false),
            ("agent: {limits: {workers: 1000}}", false),
            ("file_sd: [{files: /a.txt}]", false),
            ("http_sd: [{url: x}]", false),
            ("agents: {}", false),
        ] {
            let (tree, _) = tree::parse(&"f".into(), tree::Format::Yaml, text.as_bytes());
            assert_eq!(validator.is_valid(&json(&tree.unwrap())), is_valid, "{text}");
            let loaded = load("f.yaml", text.as_bytes(), Overrides::default());
            assert_eq!(loaded.is_ok(), is_valid, "{text}: {:?}", loaded.err());
        }
    }
}
