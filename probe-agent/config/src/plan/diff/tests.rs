//! Plans in, differences out.

use std::sync::Arc;

use proptest::prelude::*;

use super::{Changed, Diff, Matching, diff, identity};
use crate::{
    load::load,
    overrides::Overrides,
    plan::{Plan, PlannedProbe, plan},
};

fn planned(text: &str) -> Plan {
    let loaded = load("f.yaml", text.as_bytes(), Overrides::default());
    plan(&loaded.unwrap_or_else(|problems| panic!("{problems}")), &Default::default())
}

/// `+new -old ~old>new:policy,subscribers =old>new`
fn shown(old: &str, new: &str) -> String {
    let (old, new) = (planned(old), planned(new));
    let name = |plan: &Plan, index: usize| plan.probes[index].subscribers[0].name.to_string();
    let Diff { added, removed, changed, unchanged } = diff(&old.probes, &new.probes);
    let mut words = Vec::new();
    words.extend(added.iter().map(|index| format!("+{}", name(&new, *index))));
    words.extend(removed.iter().map(|index| format!("-{}", name(&old, *index))));
    for Changed { old: from, new: to, policy, subscribers } in changed {
        let what = match (policy, subscribers) {
            (true, true) => "both",
            (true, false) => "policy",
            (false, _) => "subscribers",
        };
        words.push(format!("~{}>{}:{what}", name(&old, from), name(&new, to)));
    }
    words.extend(unchanged.iter().map(|(a, b)| format!("={}>{}", name(&old, *a), name(&new, *b))));
    words.join(" ")
}

#[test]
fn only_what_differs_changes() {
    for (old, new, expected) in [
        ("targets: [a:1, b:1]", "targets: [b:1, a:1]", "=b:1>b:1 =a:1>a:1"),
        ("targets: [a:1, b:1]", "targets: [b:1, c:1]", "+c:1 -a:1 =b:1>b:1"),
        ("", "targets: [a:1]", "+a:1"),
        ("targets: [a:1]", "", "-a:1"),
        ("targets: [a:1]", "targets: [{address: a:1, fall: 9}]", "~a:1>a:1:policy"),
        ("targets: [a:1]", "targets: [{address: a:1, name: x}]", "~a:1>x:subscribers"),
        ("targets: [a:1]", "targets: [{address: a:1, labels: {x: y}}]", "~a:1>a:1:subscribers"),
        ("targets: [a:1]", "targets: [a:1, {address: a:1, name: x}]", "~a:1>a:1:subscribers"),
        ("targets: [a:1]", "targets: [{address: a:1, name: x, fall: 9}]", "~a:1>x:both"),
        // Other packets are another probe.
        ("targets: [a:1]", "targets: [{address: a:1, mark: 1}]", "+a:1 -a:1"),
        ("targets: [a:1]", "targets: [a:2]", "+a:2 -a:1"),
        ("targets: [a:1]", "defaults: {interval: 9s}\ntargets: [a:1]", "~a:1>a:1:policy"),
    ] {
        assert_eq!(shown(old, new), expected, "{old} -> {new}");
    }
}

#[test]
fn several_probes_of_one_address_keep_their_own_state() {
    let two = |first: &str, second: &str| {
        format!(
            "targets: [{{address: a:1, name: x, {first}}}, {{address: a:1, name: y, {second}}}]"
        )
    };
    for (old, new, expected) in [
        (two("fall: 1", "fall: 2"), two("fall: 2", "fall: 1"), "~y>x:subscribers ~x>y:subscribers"),
        (two("fall: 1", "fall: 2"), two("fall: 3", "fall: 4"), "~x>x:policy ~y>y:policy"),
        (two("fall: 1", "fall: 2"), two("fall: 1", "fall: 3"), "~y>y:policy =x>x"),
    ] {
        assert_eq!(shown(&old, &new), expected, "{old} -> {new}");
    }
}

/// Some probes: few hosts, ports, thresholds and marks, so that much coincides.
fn some_probes() -> impl Strategy<Value = Vec<PlannedProbe>> {
    let probe = (0_u8..4, 1_u16..3, 1_u32..4, proptest::option::of(1_u32..3), 0_u8..5);
    proptest::collection::vec(probe, 0..25).prop_map(|probes| {
        let target = |(host, port, fall, mark, name): (u8, u16, u32, Option<u32>, u8)| {
            let mark = mark.map_or_else(String::new, |mark| format!(", mark: {mark}"));
            format!(
                "{{address: h{host}:{port}, name: n{name}, fall: {fall}, labels: {{x: ID}}{mark}}}"
            )
        };
        // A label of its own makes each target another one.
        let numbered = |(id, probe): (usize, _)| target(probe).replace("ID", &id.to_string());
        let targets: Vec<String> = probes.into_iter().enumerate().map(numbered).collect();
        planned(&format!("targets: [{}]", targets.join(", "))).probes
    })
}

proptest! {
    /// No probe is lost, none is there twice, and only what sends the same packets keeps its state.
    #[test]
    fn every_probe_is_in_one_list((old, new) in (some_probes(), some_probes())) {
        let Diff { added, removed, changed, unchanged } = diff(&old, &new);
        let pairs: Vec<(usize, usize)> =
            unchanged.iter().copied().chain(changed.iter().map(|c| (c.old, c.new))).collect();
        let mut olds: Vec<usize> = pairs.iter().map(|(old, _)| *old).chain(removed.clone()).collect();
        let mut news: Vec<usize> = pairs.iter().map(|(_, new)| *new).chain(added.clone()).collect();
        olds.sort_unstable();
        news.sort_unstable();
        prop_assert_eq!(olds, (0..old.len()).collect::<Vec<_>>());
        prop_assert_eq!(news, (0..new.len()).collect::<Vec<_>>());
        for (a, b) in &pairs {
            prop_assert_eq!(identity(&old[*a]), identity(&new[*b]));
        }
        for (a, b) in &unchanged {
            prop_assert_eq!(&old[*a], &new[*b]);
        }
        for Changed { old: a, new: b, policy, subscribers } in &changed {
            prop_assert_eq!(*policy, old[*a].policy != new[*b].policy);
            prop_assert_eq!(*subscribers, old[*a].subscribers != new[*b].subscribers);
            prop_assert!(*policy || *subscribers);
        }
        // What could have kept its state has kept it.
        for a in &removed {
            prop_assert!(added.iter().all(|b| identity(&old[*a]) != identity(&new[*b])));
        }
        // What is there in both stays as it is.
        for probe in old.iter().filter(|probe| new.contains(probe)) {
            prop_assert!(unchanged.iter().any(|(a, _)| &old[*a] == probe));
        }
        let same = diff(&new, &new);
        prop_assert_eq!(same.unchanged.len(), new.len());
    }
}

/// The worst case: all probes go to one address, and all have changed.
#[test]
fn the_costs_grow_with_the_size_and_not_faster() {
    let base = planned("targets: [a:1]").probes.remove(0);
    let probes = |count: u64, first: u64| -> Vec<PlannedProbe> {
        let probe = |number: u64| {
            let mut probe = base.clone();
            let mut policy = (*probe.policy).clone();
            policy.interval = std::time::Duration::from_millis(first + number);
            probe.policy = Arc::new(policy);
            probe.subscribers[0].name = (first + number).to_string().into();
            probe
        };
        (0..count).map(probe).collect()
    };
    for count in [1_000, 10_000] {
        let (old, new) = (probes(count, 1), probes(count, 1_000_000));
        let mut matching = Matching::new(&old, &new);
        matching.match_all();
        assert_eq!(matching.pairs.len() as u64, count);
        // Three rounds, each over both plans.
        assert!(matching.steps as u64 <= 6 * count, "{} steps for {count}", matching.steps);
    }
}
