//! Texts in, lists out; offers in, decisions out.

use super::{Decision, Offered, SourceState, TargetList, parse};
use crate::tree::Format;

fn shown(list: &TargetList) -> Vec<String> {
    let labels = |target: &super::DiscoveredTarget| {
        target.labels.iter().map(|(name, value)| format!(" {name}={value}")).collect::<String>()
    };
    list.targets.iter().map(|target| format!("{}{}", target.address, labels(target))).collect()
}

#[test]
fn json_and_yaml_give_one_list() {
    let json = r#"[{"targets": ["a:1", "b"], "labels": {"team": "x", "n": "1", "__meta_x": "y", "e": ""}},
        {"targets": ["[::1]:2"]}, {"labels": {}}, {"targets": []}]"#;
    let yaml = "- targets: ['a:1', b]\n  labels: {team: x, n: 1, __meta_x: y, e: ''}\n- targets:\n  - '[::1]:2'\n";
    for (format, text) in [(Format::Json, json), (Format::Yaml, yaml), (Format::Yaml, json)] {
        let list = parse("f", format, text.as_bytes()).unwrap();
        assert_eq!(shown(&list), ["a:1 n=1 team=x", "b n=1 team=x", "[::1]:2"], "{format:?}");
        assert!(list.problems.is_empty(), "{}", list.problems);
    }
}

#[test]
fn a_bad_target_costs_only_itself() {
    let text = "- targets: [a:1, 'http://b/x', c:0, d:4]\n- [x]\n- {targets: x, source: y}\n- targets: [e:5]\n";
    let list = parse("f.yml", Format::Yaml, text.as_bytes()).unwrap();
    assert_eq!(shown(&list), ["a:1", "d:4", "e:5"]);
    assert_eq!(
        list.problems.to_string(),
        "f.yml:1:18: [0].targets[1]: \"http://b/x\": this is a URL; write HOST:PORT, here b:80\n\
         f.yml:1:32: [0].targets[2]: \"c:0\": port \"0\" is not a number from 1 to 65535\n\
         f.yml:2:3: [1]: this is a list; write a map of keys and values\n\
         f.yml:3:13: [2].targets: this is a single value; write a list"
    );
    let json = r#"[{"targets": ["a:1", 5, null, ["x"]]}]"#;
    let list = parse("f.json", Format::Json, json.as_bytes()).unwrap();
    assert_eq!(shown(&list), ["a:1"]);
    let lines = list.problems.to_string();
    assert!(
        lines.starts_with("f.json: [0].targets[1]: \"5\": 5 is not an IPv4 address"),
        "{lines}"
    );
    assert_eq!(lines.lines().count(), 3, "{lines}");
}

#[test]
fn many_bad_targets_cost_only_themselves() {
    let text = format!("- targets:\n{}  - good:1\n", "  - bad\u{e4}:1\n".repeat(5_000));
    let list = parse("f.yml", Format::Yaml, text.as_bytes()).unwrap();
    assert_eq!(shown(&list), ["good:1"]);
    assert_eq!(list.problems.iter().count() + list.problems.left_out(), 5_000);
}

#[test]
fn what_is_no_list_is_broken() {
    for (format, text, line) in [
        (Format::Json, "[{\"targets\": [", "f:1:14: not JSON: EOF while parsing a list"),
        (Format::Json, "", "f:1:0: not JSON: EOF while parsing a value"),
        (Format::Json, "<html>", "f:1:1: not JSON: expected value"),
        (
            Format::Json,
            "{\"targets\": []}",
            "f: not a list; write [{\"targets\": [\"HOST:PORT\"], \"labels\": {}}]",
        ),
        (Format::Yaml, "", "f: not a list; write [{\"targets\": [\"HOST:PORT\"], \"labels\": {}}]"),
        (
            Format::Yaml,
            "a",
            "f: not a list; write [{\"targets\": [\"HOST:PORT\"], \"labels\": {}}]",
        ),
    ] {
        let problem = parse("f", format, text.as_bytes()).unwrap_err();
        assert_eq!(problem.to_string(), line, "{text}");
    }
}

/// `{"a": Some("x:1 y:2"), "b": None}`: two files, of which the second is broken.
fn offer(
    state: &mut SourceState,
    files: &[(&str, Option<&str>)],
    allowed: usize,
) -> (bool, Vec<String>) {
    let list = |text: &str| {
        let targets: Vec<&str> = text.split_whitespace().collect();
        let json = serde_json::json!([{"targets": targets}]).to_string();
        parse("f", Format::Json, json.as_bytes())
    };
    let broken = || parse("f", Format::Json, b"[");
    let offered: Offered = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.map_or_else(broken, list)))
        .collect();
    let Decision { has_changed, kept } = state.offer(offered, allowed);
    (has_changed, kept.iter().map(ToString::to_string).collect())
}

fn targets(state: &SourceState) -> String {
    state.lists().flat_map(|list| shown(list)).collect::<Vec<_>>().join(" ")
}

/// Files, whether the targets change, why a list is kept, and the targets afterwards.
type Step<'a> = (&'a [(&'a str, Option<&'a str>)], bool, &'a [&'a str], &'a str);

#[test]
fn the_last_good_list_is_kept() {
    let mut state = SourceState::default();
    let broken = "f:1:1: not JSON: EOF while parsing a list";
    let empty = "the list is empty now; its last 3 targets are kept: remove the entry from the configuration to stop their probes";
    let many = "4 targets are offered, but only 3 fit; its last 3 targets are kept: raise agent.limits.targets";
    let none = format!("{broken}; its last 0 targets are kept");
    let last = format!("{broken}; its last 2 targets are kept");
    let steps: [Step<'_>; 10] = [
        // What never had a target may stay empty.
        (&[], false, &[], ""),
        (&[("a", None)], false, &[&none], ""),
        (&[("a", Some("x:1 y:2"))], true, &[], "x:1 y:2"),
        (&[("a", Some("x:1 y:2"))], false, &[], "x:1 y:2"),
        // A broken file costs nothing, and stops no other.
        (&[("a", None), ("b", Some("z:3"))], true, &[&last], "x:1 y:2 z:3"),
        (&[("a", Some("")), ("b", Some(""))], false, &[empty], "x:1 y:2 z:3"),
        (&[], false, &[empty], "x:1 y:2 z:3"),
        (&[("a", Some("x:1 y:2 z:3 q:4"))], false, &[many], "x:1 y:2 z:3"),
        // One file of two may go.
        (&[("b", Some("z:3"))], true, &[], "z:3"),
        (&[("b", Some("z:4"))], true, &[], "z:4"),
    ];
    for (number, (files, has_changed, kept, after)) in steps.into_iter().enumerate() {
        let seen = offer(&mut state, files, 3);
        let expected: Vec<String> = kept.iter().map(|line| (*line).to_owned()).collect();
        assert_eq!(seen, (has_changed, expected), "step {number}");
        assert_eq!(targets(&state), after, "step {number}");
    }
}

#[test]
fn an_equal_list_keeps_its_place() {
    let mut state = SourceState::default();
    offer(&mut state, &[("a", Some("x:1"))], 9);
    let first = state.lists().next().map(std::sync::Arc::as_ptr);
    offer(&mut state, &[("a", Some("x:1")), ("b", Some("y:1"))], 9);
    assert_eq!(state.lists().next().map(std::sync::Arc::as_ptr), first);
}
