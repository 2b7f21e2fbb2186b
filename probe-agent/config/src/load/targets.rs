//! Rules for single targets.

use std::{collections::HashMap, sync::Arc};

use super::{Loaded, StaticTarget, rules};
use crate::{
    echo::Echo,
    origin::Layer,
    position::Position,
    problem::{Problem, Problems},
    schema::{FoundPolicy, Labels},
};

/// Names and labels of the targets so far, with the line of each.
type Seen = HashMap<(String, Arc<Labels>), Position>;

/// What is wrong with single targets.
pub(super) fn problems(loaded: &Loaded) -> Problems {
    let mut problems = Problems::default();
    let mut seen = Seen::new();
    let mut count = 0_usize;
    for section in loaded.sections() {
        let labels = Arc::new(section.labels());
        let shared = section.policy(None);
        for target in section.targets() {
            let key = section.key(&format!("targets[{}]", target.index));
            let own = (!target.settings.is_empty()).then(|| section.policy(Some(target.settings)));
            if let Some(found) = &own {
                rules::policy(loaded, found, &key, &mut problems);
            }
            let found = own.as_ref().unwrap_or(&shared);
            let mut push = |problem: Problem| problems.push(problem);
            address(loaded, target, &key, found, &mut push);
            for name in names(target, found) {
                count += 1;
                duplicate(loaded, target, &key, (name, &labels), &mut seen, &mut push);
            }
        }
    }
    limit(loaded, count, &mut problems);
    problems
}

/// A target has one name for each of its ports.
fn names(target: StaticTarget<'_>, found: &FoundPolicy) -> Vec<String> {
    crate::target_names::names(
        target.own.name.as_ref().map(|name| name.value.as_str()),
        &target.own.address.value,
        found.ports.as_ref().map(|ports| ports.value.ports()),
    )
    .into_iter()
    .map(|(name, _)| name)
    .collect()
}

fn at_address(loaded: &Loaded, target: StaticTarget<'_>, key: &str, text: String) -> Problem {
    Problem {
        source: Arc::clone(&loaded.source),
        position: Some(target.own.address.position),
        key: key.to_owned(),
        text,
    }
}

/// The address must have a port, an interface and the right family, as far as it needs them.
fn address(
    loaded: &Loaded,
    target: StaticTarget<'_>,
    key: &str,
    found: &FoundPolicy,
    push: &mut impl FnMut(Problem),
) {
    let address = &target.own.address.value;
    let shown = format!("{:?}", Echo(address.text()));
    if address.port().is_none() && found.ports.is_none() {
        let text = format!("{shown} has no port; write HOST:PORT, or set ports");
        push(at_address(loaded, target, key, text));
    }
    if address.host().needs_zone() && found.interface.is_none() {
        let text = format!(
            "{shown}: a link-local address needs its interface; write e.g. [fe80::1%eth0]:80, or set interface"
        );
        push(at_address(loaded, target, key, text));
    }
    if let (Some(is_ipv4), Some(source)) = (address.host().is_ipv4(), &found.source)
        && is_ipv4 != source.value.get().to_canonical().is_ipv4()
    {
        let family = |is_ipv4| if is_ipv4 { "IPv4" } else { "IPv6" };
        let text = format!(
            "{shown} is {}, but source {} is {}; omit source, or put the families into groups",
            family(is_ipv4),
            source.value,
            family(!is_ipv4)
        );
        push(at_address(loaded, target, key, text));
    }
}

/// No two targets may have the same name and labels: their series in metrics would be one.
fn duplicate(
    loaded: &Loaded,
    target: StaticTarget<'_>,
    key: &str,
    (name, section): (String, &Arc<Labels>),
    seen: &mut Seen,
    push: &mut impl FnMut(Problem),
) {
    let own = &target.own.labels;
    let labels = if own.is_empty() { Arc::clone(section) } else { Arc::new(own.over(section)) };
    let position = target.own.address.position;
    let shown = format!("{:?}", Echo(&name));
    if let Some(first) = seen.get(&(name.clone(), Arc::clone(&labels))) {
        let text = format!(
            "{shown} is a duplicate of line {}; remove it, or give it another name or label",
            first.line
        );
        push(at_address(loaded, target, key, text));
        return;
    }
    seen.insert((name, labels), position);
}

fn limit(loaded: &Loaded, count: usize, problems: &mut Problems) {
    let limits = loaded.agent().limits;
    let Some(most) = limits.targets.as_ref() else { return };
    if count > most.value.get() as usize {
        let text = match most.layer {
            Layer::BuiltIn => "set agent.limits.targets",
            _ => "raise it",
        };
        let text = format!("{count} targets, but at most {} are allowed; {text}", most.value);
        problems.push(loaded.problem(Some(most), "", "agent.limits.targets", text));
    }
}
