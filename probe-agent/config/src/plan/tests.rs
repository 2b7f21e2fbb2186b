//! Configurations and lists in, plans out.

use std::sync::Arc;

use super::{Discovered, LeftOut, Plan, plan};
use crate::{
    discovery,
    load::{Loaded, SourceKey, SourceKind, load},
    overrides::Overrides,
    tree::Format,
};

fn loaded(text: &str) -> Loaded {
    load("f.yaml", text.as_bytes(), Overrides::default()).unwrap_or_else(|p| panic!("{p}"))
}

fn shown(plan: &Plan) -> Vec<String> {
    let probe = |probe: &super::PlannedProbe| {
        let subscriber = |s: &super::Subscriber| {
            let labels: String = s.labels.iter().map(|(k, v)| format!(" {k}={v}")).collect();
            format!("[{}{labels}]", s.name)
        };
        let subscribers: String = probe.subscribers.iter().map(subscriber).collect();
        let host = match &probe.host {
            crate::target_spec::Host::Name(name) => name.clone(),
            crate::target_spec::Host::Address { ip, .. } => ip.to_string(),
        };
        format!("{host} {} {subscribers}", probe.port)
    };
    plan.probes.iter().map(probe).collect()
}

fn files(group: Option<&str>, json: &str) -> (SourceKey, Vec<Arc<discovery::TargetList>>) {
    let key = SourceKey {
        group: group.map(str::to_owned),
        kind: SourceKind::Files(vec!["/a.json".to_owned()]),
    };
    (key, vec![Arc::new(discovery::parse("/a.json", Format::Json, json.as_bytes()).unwrap())])
}

#[test]
fn names_ports_and_labels() {
    let text = "
defaults: {labels: {site: s}, ports: 7}
targets:
  - a:1
  - b
  - {address: c, ports: [8, 9]}
  - {address: d, ports: [8, 9], name: web}
  - {address: '[::1]', name: one, labels: {site: t, x: y}}
groups:
  g: {ports: 5, targets: [e]}
  h: {labels: {group: own}, targets: [e:6]}
";
    assert_eq!(
        shown(&plan(&loaded(text), &Discovered::new())),
        [
            "a 1 [a:1 site=s]",
            "b 7 [b:7 site=s]",
            "c 8 [c:8 site=s]",
            "c 9 [c:9 site=s]",
            "d 8 [web:8 site=s]",
            "d 9 [web:9 site=s]",
            "::1 7 [one site=t x=y]",
            "e 5 [e:5 group=g site=s]",
            "e 6 [e:6 group=own site=s]",
        ]
    );
}

#[test]
fn identical_probes_are_made_once() {
    let text = "
targets:
  - a:1
  - {address: a:1, name: b}
  - {address: a:1, name: c, interval: 5s}
  - {address: a:1, name: d, interval: 6s}
  - {address: a:1, name: e, mark: 1}
groups: {g: {targets: [a:1]}}
";
    let plan = plan(&loaded(text), &Discovered::new());
    assert_eq!(
        shown(&plan),
        ["a 1 [a:1][b][c][a:1 group=g]", "a 1 [d]", "a 1 [e]"],
        "an interval that is written out is no other interval"
    );
    assert_eq!(plan.targets, 6);
}

#[test]
fn discovered_targets_get_the_settings_and_labels_of_their_group() {
    let text = "
targets: [a:1]
file_sd: [/a.json]
groups:
  g:
    ports: [5, 6]
    fall: 9
    labels: {team: g, x: g}
    file_sd: [{files: /a.json, labels: {x: entry, y: entry}}]
";
    let loaded = loaded(text);
    let keys: Vec<SourceKey> =
        loaded.sections().flat_map(|section| section.sources()).map(|(key, _)| key).collect();
    let top = files(None, r#"[{"targets": ["a:1", "b:2", "c"]}]"#);
    let group =
        files(Some("g"), r#"[{"targets": ["d", "e:7"], "labels": {"y": "list", "z": "list"}}]"#);
    assert_eq!(keys, [top.0.clone(), group.0.clone()]);
    let plan = plan(&loaded, &[top, group].into_iter().collect());
    assert_eq!(
        shown(&plan),
        [
            "a 1 [a:1]",
            "b 2 [b:2]",
            "d 5 [d:5 group=g team=g x=entry y=list z=list]",
            "d 6 [d:6 group=g team=g x=entry y=list z=list]",
            "e 7 [e:7 group=g team=g x=entry y=list z=list]",
        ]
    );
    assert_eq!(plan.probes[2].policy.fall, 9);
    assert!(Arc::ptr_eq(&plan.probes[2].policy, &plan.probes[4].policy), "shared in memory");
    let left_out = LeftOut { duplicates: 1, without_port: 1, ..LeftOut::default() };
    assert_eq!(plan.left_out, left_out, "a:1 and c");
}

#[test]
fn a_list_that_doubles_is_cut_at_the_limit() {
    let text = "
agent: {limits: {targets: 3}}
defaults: {source: 192.0.2.1}
targets: [a:1]
file_sd: [/a.json]
";
    let list = r#"[{"targets": ["[::1]:1", "[fe80::1]:1", "b:1", "c:1", "d:1", "e:1"]}]"#;
    let plan = plan(&loaded(text), &[files(None, list)].into_iter().collect());
    assert_eq!(shown(&plan), ["a 1 [a:1]", "b 1 [b:1]", "c 1 [c:1]"]);
    let left_out =
        LeftOut { over_limit: 2, other_family: 1, without_interface: 1, ..LeftOut::default() };
    assert_eq!(plan.left_out, left_out);
    assert_eq!(
        plan.left_out.lines(),
        [
            "1 discovered target left out: each has a link-local address without an interface; set interface",
            "1 discovered target left out: each is of another address family than source; omit source",
            "2 discovered targets left out: each is more than agent.limits.targets allows; raise it",
        ]
    );
}
