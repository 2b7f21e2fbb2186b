//! Texts in, values or lines about them out.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{At, Lenient, decode, split};
use crate::{
    tree::{self, Format},
    values::{Mark, PortRange},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Root {
    items: Vec<Lenient<Item>>,
    named: BTreeMap<String, Lenient<Own>>,
}

#[derive(Debug)]
struct Item {
    policy: Policy,
    own: Own,
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (policy, own) = split(deserializer, &["mark", "source_ports"])?;
        Ok(Self { policy, own })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Policy {
    mark: Option<At<Mark>>,
    source_ports: Option<At<PortRange>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    address: String,
    #[serde(default)]
    name: Option<String>,
}

fn read(text: &str) -> (Option<Root>, String) {
    let (tree, problems) = tree::parse(&"f".into(), Format::Yaml, text.as_bytes());
    assert!(problems.is_empty(), "{problems}");
    let (root, problems) = decode(&"f".into(), &tree.unwrap());
    (root, problems.sorted().to_string())
}

#[test]
fn values_have_their_places() {
    let (root, problems) = read("items:\n  - a\n  - {address: b, mark: 0x2a, name:}\n");
    assert_eq!(problems, "");
    let items = root.unwrap().items;
    let first = items[0].0.as_ref().unwrap();
    assert_eq!((first.own.address.as_str(), &first.policy.mark), ("a", &None), "a shorthand");
    let second = items[1].0.as_ref().unwrap();
    let mark = second.policy.mark.as_ref().unwrap();
    assert_eq!((mark.value.0, mark.position.to_string()), (42, "3:24".to_owned()));
    assert_eq!((second.own.name.as_deref(), second.own.address.as_str()), (None, "b"));
}

#[test]
fn all_errors_are_reported_and_the_rest_is_read() {
    let text = "itemss: []
items:
  - addres: a
  - address: b
    mark: x
    source_ports: 9-1
    marc: 1
  - name: c
  - [d]
  - e
named:
  one: {address: [1]}
  two: {address: f, interval: 1}
";
    let (root, problems) = read(text);
    let expected = "f:1:1: itemss: unknown key; did you mean \"items\"?
f:3:5: items[0].addres: unknown key; did you mean \"address\"?
f:5:11: items[1].mark: \"x\": write a 32-bit number: 42 or 0x2a
f:6:19: items[1].source_ports: \"9-1\": the range ends before it starts
f:7:5: items[1].marc: unknown key; did you mean \"mark\"?
f:8:5: items[2]: \"address\" is missing; add it
f:9:5: items[3]: this is a list; write a map of keys and values
f:12:18: named.one.address: this is a list; write a single value
f:13:21: named.two.interval: unknown key; known are address, name";
    assert_eq!(problems, expected);
    let root = root.unwrap();
    let addresses =
        root.items.iter().filter_map(|item| Some(item.0.as_ref()?.own.address.as_str()));
    assert_eq!(addresses.collect::<Vec<_>>(), ["b", "e"]);
    assert!(root.named["two"].0.is_some() && root.named["one"].0.is_none());
}

#[test]
fn a_thousand_errors_take_no_thousand_readings() {
    let text = format!("items:\n{}", "  - {address: a, x: 1}\n".repeat(100_000));
    let (_, problems) = read(&text);
    assert_eq!(problems.lines().count(), crate::problem::MOST_PROBLEMS);
    let text = (0..1_000).map(|n| format!("key{n}: 1\n")).collect::<String>();
    assert_eq!(read(&text).1.lines().count(), 100, "of one map");
}

#[test]
fn a_root_of_another_kind_is_one_error() {
    let (root, problems) = read("- a\n");
    assert!(root.is_none());
    assert_eq!(problems, "f:1:1: this is a list; write a map of keys and values");
}
