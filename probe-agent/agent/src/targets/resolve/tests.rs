use std::time::Duration;

use super::{Resolved, resolve};
use ::config::target_spec::TargetSpec;

use crate::names::Choice;

/// No lookup of these tests leaves this host.
const PATIENCE: Duration = Duration::from_secs(6);

fn resolved(names: &[&str]) -> Result<Resolved, String> {
    let specs = names.iter().map(|name| name.parse::<TargetSpec>().unwrap()).collect();
    resolve(specs, Choice::default(), Duration::ZERO, PATIENCE).map_err(|error| error.to_string())
}

fn addresses(names: &[&str]) -> Result<Vec<String>, String> {
    resolved(names).map(|resolved| {
        resolved.names.targets().iter().map(|target| target.address.to_string()).collect()
    })
}

#[test]
fn a_literal_is_never_looked_up() {
    let literals = ["10.0.0.1:80", "[::1]:80", "[::ffff:10.0.0.1]:80", "[fe80::1%lo]:80"];
    let resolved = resolved(&literals).unwrap();
    assert!(resolved.watch.is_none());
    let targets = resolved.names.targets();
    assert_eq!(targets[2].address.to_string(), "[::ffff:10.0.0.1]:80");
    assert_eq!(
        targets[3].address.to_string(),
        "[fe80::1%1]:80",
        "the loopback interface is the first"
    );
}

#[test]
fn a_name_has_its_addresses_and_keeps_its_interval() {
    let mut specs: Vec<TargetSpec> =
        ["10.0.0.1:1", "localhost:2", "10.0.0.1:3"].map(|name| name.parse().unwrap()).into();
    specs[1].interval = Some(Duration::from_secs(7));
    let resolved = resolve(specs, Choice::default(), Duration::ZERO, PATIENCE).unwrap();
    assert!(resolved.watch.is_some());
    let targets: Vec<_> = resolved.names.targets().iter().collect();
    assert!(targets.iter().any(|target| target.address.to_string() == "127.0.0.1:2"));
    assert_eq!(resolved.intervals.len(), targets.len());
    for (target, interval) in targets.iter().zip(&resolved.intervals) {
        assert_eq!(interval.is_some(), target.host == "localhost", "{target:?}");
    }
}

#[test]
fn an_interface_must_exist() {
    assert_eq!(addresses(&["[fe80::1%1]:80"]), Ok(vec!["[fe80::1%1]:80".to_owned()]));
    for zone in ["nowhere", "0", "4294967295", "99999999999"] {
        let line = format!(
            "target \"[fe80::1%{zone}]:80\": there is no network interface {zone}; 'ip link' lists them"
        );
        assert_eq!(addresses(&[&format!("[fe80::1%{zone}]:80")]), Err(line));
    }
}
