//! Plans in, differences out.

use std::sync::Arc;

use super::{Changed, Diff, Matching, diff};
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

/// No probe is lost, and none is there twice.
#[test]
fn every_probe_is_in_one_list() {
    let text = |marks: &[u32]| {
        let target =
            |m: &u32| format!("{{address: a:{}, name: n{m}, fall: {}}}", m % 5 + 1, m % 7 + 1);
        format!("targets: [{}]", marks.iter().map(target).collect::<Vec<_>>().join(", "))
    };
    for (a, b) in [(0..40, 20..60), (0..40, 0..40), (0..5, 5..70), (0..0, 3..9)] {
        let (old, new) = (text(&a.collect::<Vec<_>>()), text(&b.collect::<Vec<_>>()));
        let (old, new) = (planned(&old), planned(&new));
        let Diff { added, removed, changed, unchanged } = diff(&old.probes, &new.probes);
        let pairs = || unchanged.iter().copied().chain(changed.iter().map(|c| (c.old, c.new)));
        let mut olds: Vec<usize> = pairs().map(|(old, _)| old).chain(removed.clone()).collect();
        let mut news: Vec<usize> = pairs().map(|(_, new)| new).chain(added.clone()).collect();
        olds.sort_unstable();
        news.sort_unstable();
        assert_eq!(olds, (0..old.probes.len()).collect::<Vec<_>>());
        assert_eq!(news, (0..new.probes.len()).collect::<Vec<_>>());
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
