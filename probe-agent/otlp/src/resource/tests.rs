use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value;

use super::{HostFacts, resource};

const HOST: fn() -> HostFacts = || HostFacts {
    name: "node-1".into(),
    kernel: "6.12.0".into(),
    pid: 42,
    executable: "probe-agent".into(),
    instance: [0xff; 16],
};

/// The resource as text, in the order of its keys, and what was ignored.
fn made(env: &[(&str, &str)], host: &HostFacts) -> (BTreeMap<String, String>, Vec<String>) {
    let env: BTreeMap<_, _> = env.iter().copied().collect();
    let mut ignored = Vec::new();
    let read = |name: &str| env.get(name).map(|v| (*v).to_owned());
    let resource = resource(read, host, |variable| ignored.push(variable.to_string()));
    let pairs = resource.attributes.into_iter().map(|pair| {
        let value = match pair.value.unwrap().value.unwrap() {
            Value::StringValue(s) => s,
            Value::IntValue(i) => i.to_string(),
            other => panic!("{other:?}"),
        };
        (pair.key, value)
    });
    (pairs.collect(), ignored)
}

/// The resource of a valid environment.
fn attributes_of(env: &[(&str, &str)], host: &HostFacts) -> BTreeMap<String, String> {
    let (attributes, ignored) = made(env, host);
    assert!(ignored.is_empty(), "{ignored:?}");
    attributes
}

#[test]
fn only_detected_values_become_attributes() {
    let all = attributes_of(&[], &HOST());
    assert_eq!(all["service.name"], "probe-agent");
    assert_eq!(all["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(all["service.instance.id"], "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_eq!(all["host.name"], "node-1");
    assert_eq!(all["os.type"], "linux");
    assert_eq!(all["os.version"], "6.12.0");
    assert_eq!(all["process.pid"], "42");
    assert_eq!(all["process.executable.name"], "probe-agent");
    assert!(all.contains_key("host.arch"));
    assert_eq!(all.len(), 9, "{all:?}");
    let bare = HostFacts { name: String::new(), kernel: String::new(), ..HOST() };
    assert_eq!(attributes_of(&[], &bare).len(), 7);
}

#[test]
fn the_environment_takes_precedence_as_specified() {
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,team=on%20call,host.name=b,");
    let all = attributes_of(&[attributes], &HOST());
    assert_eq!((&*all["service.name"], &*all["team"], &*all["host.name"]), ("a", "on call", "b"));
    let all = attributes_of(&[attributes, ("OTEL_SERVICE_NAME", "c")], &HOST());
    assert_eq!(all["service.name"], "c");
    let all = attributes_of(&[("OTEL_SERVICE_NAME", "")], &HOST());
    assert_eq!(all["service.name"], "probe-agent");
}

#[test]
fn the_usual_variables_of_the_downward_api_are_read() {
    let env = [("NODE_NAME", "n"), ("K8S_POD_NAME", "p"), ("POD_NAME", "q"), ("POD_UID", "")];
    let all = attributes_of(&env, &HOST());
    assert_eq!((&*all["k8s.node.name"], &*all["k8s.pod.name"]), ("n", "p"));
    assert!(!all.contains_key("k8s.pod.uid") && !all.contains_key("k8s.namespace.name"));
}

#[test]
fn an_invalid_list_is_discarded_as_a_whole_and_reported_without_its_contents() {
    let env = [("OTEL_RESOURCE_ATTRIBUTES", "team=b,secret"), ("OTEL_SERVICE_NAME", "c")];
    let (all, ignored) = made(&env, &HOST());
    assert_eq!((&*all["service.name"], all.get("team")), ("c", None));
    assert_eq!(
        ignored,
        [
            "OTEL_RESOURCE_ATTRIBUTES: entry 2 is not key=value; separate entries by commas and write \
         a comma in a value as %2C (ignored: none of its attributes are used)"
        ]
    );
}

#[test]
fn this_host_can_be_described() {
    let facts = HostFacts::detect().unwrap();
    assert!(!facts.name.is_empty() && !facts.kernel.is_empty() && !facts.executable.is_empty());
    assert_ne!(facts.instance, [0; 16]);
}
