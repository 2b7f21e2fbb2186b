//! The alert rules and the dashboard, held against the metrics that there are.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use metrics::{Kind, families, single};
use model::{
    outcome::Outcome,
    verdict::{Proof, Verdict},
};
use serde_json::Value;

use crate::promtool::{has, promtool};

fn contrib() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../contrib")
}

fn read(file: &str) -> String {
    fs::read_to_string(contrib().join(file)).expect("a file of the repository")
}

/// The names of all series.
fn series() -> BTreeSet<String> {
    let all = families().map(|(family, _)| family).chain(single::families());
    all.flat_map(|family| {
        let suffixes: &[&str] = match family.kind {
            Kind::Histogram => &["_bucket", "_sum", "_count"],
            Kind::Counter | Kind::Gauge => &[""],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", family.name))
    })
    .collect()
}

/// The names of metrics in an expression.
fn named(expression: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split(|c: char| !is_name(c));
    words.filter(|word| word.starts_with("probe_")).map(str::to_owned).collect()
}

/// Values of labels in an expression that there are not, as `label="value"`.
fn unknown_values(expression: &str) -> Vec<String> {
    let known = |label: &str| -> Option<Vec<&str>> {
        Some(match label {
            "verdict" => Verdict::ALL.map(Verdict::name).into(),
            "proof" => Proof::ALL.map(Proof::name).into(),
            "outcome" => Outcome::ALL.map(Outcome::name).into(),
            "sender" => vec!["close", "answer", "target"],
            "place" => vec!["our_netns", "other_netns", "unknown"],
            "state" => vec!["up", "down", "unknown", "in_use", "free"],
            _ => return None,
        })
    };
    let mut unknown = Vec::new();
    let parts: Vec<&str> = expression.split('"').collect();
    for pair in parts.chunks_exact(2) {
        let before = pair[0].trim_end_matches(['=', '~', '!']);
        let label = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
        for value in pair[1].split('|') {
            let prefix = value.trim_end_matches(".*");
            if let Some(known) = known(label.unwrap_or_default())
                && !known.iter().any(|k| *k == value || (prefix != value && k.starts_with(prefix)))
            {
                unknown.push(format!("{}=\"{value}\"", label.unwrap_or_default()));
            }
        }
    }
    unknown
}

/// The panels of the dashboard.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&read("grafana/dashboard.json")).expect("JSON");
    dashboard["panels"].as_array().expect("panels").clone()
}

/// The queries of a panel.
fn queries(panel: &Value) -> Vec<String> {
    let targets = panel["targets"].as_array().cloned().unwrap_or_default();
    targets.iter().map(|t| t["expr"].as_str().expect("a query").to_owned()).collect()
}

/// The lines of the rules that are expressions.
fn alert_expressions() -> String {
    let text = read("prometheus/alerts.yaml");
    let is_prose = |line: &&str| {
        let line = line.trim_start();
        line.starts_with('#') || line.starts_with("summary:") || line.starts_with("description:")
    };
    text.lines().filter(|line| !is_prose(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_alert_has_unit_tests_that_pass() {
    let (rules, tests) = (read("prometheus/alerts.yaml"), read("prometheus/alerts_test.yaml"));
    let names: Vec<&str> =
        rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        for case in ["fires", "does not fire"] {
            let title = format!("  - name: {name} {case}\n");
            assert!(tests.contains(&title), "alerts_test.yaml has no test `{name} {case}`");
        }
    }
    if !has("promtool") {
        return;
    }
    let directory = contrib().join("prometheus");
    for command in [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts_test.yaml"]] {
        let (is_content, printed) = promtool(&command, &directory, "");
        assert!(is_content, "{printed}");
    }
}

#[test]
fn alerts_and_their_tests_name_metrics_and_values_that_there_are() {
    let series = series();
    let mut expressions = alert_expressions();
    for line in read("prometheus/alerts_test.yaml").lines() {
        expressions.extend(line.trim().strip_prefix("- series: "));
        expressions.push('\n');
    }
    let unknown: Vec<_> = named(&expressions).difference(&series).cloned().collect();
    assert!(unknown.is_empty(), "there are no such metrics: {unknown:?}");
    assert_eq!(expressions.lines().flat_map(unknown_values).collect::<Vec<_>>(), [""; 0]);
    // In prose, they must be there, too.
    let prose = named(&read("prometheus/alerts.yaml"));
    let unknown: Vec<_> = prose.difference(&series).collect();
    assert!(unknown.is_empty(), "there are no such metrics: {unknown:?}");
}

#[test]
fn the_dashboard_shows_every_metric_and_no_other() {
    let series = series();
    let queries: Vec<String> = panels().iter().flat_map(queries).collect();
    let shown: BTreeSet<String> = queries.iter().flat_map(|query| named(query)).collect();
    let unknown: Vec<_> = shown.difference(&series).collect();
    assert!(unknown.is_empty(), "there are no such metrics: {unknown:?}");
    for (family, _) in families() {
        let is_shown = shown.iter().any(|name| name.starts_with(family.name));
        assert!(is_shown, "no panel shows {}", family.name);
    }
    assert_eq!(queries.iter().flat_map(|query| unknown_values(query)).collect::<Vec<_>>(), [""; 0]);
    let variables: BTreeSet<String> = named(&read("grafana/dashboard.json").replace('"', " "));
    let unknown: Vec<_> = variables.difference(&series).collect();
    assert!(unknown.is_empty(), "there are no such metrics: {unknown:?}");
}

#[test]
fn the_panels_of_the_dashboard_have_places_and_descriptions_of_their_own() {
    let (mut ids, mut cells) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels() {
        let title = panel["title"].as_str().expect("a title").to_owned();
        assert!(ids.insert(panel["id"].as_u64()), "{title}: its id is another panel's");
        let at = |name: &str| panel["gridPos"][name].as_u64().expect("a place");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(x < 24 && cells.insert((x, y)), "{title} lies upon another panel");
            }
        }
        if panel["type"] != "row" {
            assert!(panel["description"].as_str().is_some_and(|d| !d.is_empty()), "{title}");
        }
    }
}

#[test]
fn prometheus_can_read_every_query_of_the_dashboard() {
    if !has("promtool") {
        return;
    }
    let queries: Vec<String> = panels().iter().flat_map(queries).collect();
    let as_rules = |queries: &[String]| {
        let mut rules = String::from("groups:\n  - name: dashboard\n    rules:\n");
        for (number, query) in queries.iter().enumerate() {
            let query = query.replace("$__rate_interval", "5m");
            rules.push_str(&format!(
                "      - record: query_{number}\n        expr: {}\n",
                Value::from(query)
            ));
        }
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("rules.yaml"), rules).expect("a file in it");
        promtool(&["check", "rules", "rules.yaml"], directory.path(), "")
    };
    let (is_content, printed) = as_rules(&queries);
    assert!(is_content && printed.contains(&format!("{} rules found", queries.len())), "{printed}");
    assert!(!as_rules(&[format!("{})", queries[0])]).0);
}

#[test]
fn a_value_that_no_label_has_is_found() {
    let unknown =
        unknown_values(r#"x{verdict=~"rst_lost_.*|nope",state!="up",env="y",sender="us"}"#);
    assert_eq!(unknown, ["verdict=\"nope\"", "sender=\"us\""]);
    assert_eq!(unknown_values(r#"x{verdict=~"rst_lots_.*"}"#), ["verdict=\"rst_lots_.*\""]);
}
