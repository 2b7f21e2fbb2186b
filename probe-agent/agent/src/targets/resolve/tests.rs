use std::{
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{Lookup, resolve};
use crate::targets::spec::TargetSpec;

fn specs(names: &[&str]) -> Vec<TargetSpec> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn book() -> Arc<Lookup> {
    Arc::new(|host: &str| match host {
        "both.example" => Ok(vec!["2001:db8::7".parse().unwrap(), "10.0.0.7".parse().unwrap()]),
        "six.example" => Ok(vec!["2001:db8::6".parse().unwrap()]),
        "silent.example" => loop {
            std::thread::park();
        },
        _ => {
            Err(io::Error::other("failed to lookup address information: Name or service not known"))
        }
    })
}

#[track_caller]
fn check(names: &[&str], source: Option<&str>, expected: Result<&[&str], &str>) {
    let source = source.map(|ip| ip.parse::<IpAddr>().unwrap());
    let resolved = resolve(specs(names), source, Duration::from_millis(50), book());
    let seen = resolved
        .map(|targets| targets.iter().map(|t| t.address.to_string()).collect::<Vec<_>>())
        .map_err(|error| error.to_string());
    let expected = expected
        .map(|addresses| addresses.iter().map(ToString::to_string).collect())
        .map_err(str::to_owned);
    assert_eq!(seen, expected);
}

/// No lookup of these tests is slow.
const PATIENCE: Duration = Duration::from_secs(6);

#[test]
fn the_first_address_of_the_sources_family_is_used() {
    check(&["both.example:80"], None, Ok(&["[2001:db8::7]:80"]));
    check(&["both.example:80"], Some("10.0.0.1"), Ok(&["10.0.0.7:80"]));
    check(
        &["both.example:80", "six.example:81"],
        Some("2001:db8::1"),
        Ok(&["[2001:db8::7]:80", "[2001:db8::6]:81"]),
    );
}

#[test]
fn a_target_without_an_address_is_one_line() {
    check(
        &["both.example:1", "no.example:80"],
        None,
        Err("target \"no.example:80\": cannot resolve no.example: Name or service not known"),
    );
    check(
        &["six.example:80"],
        Some("10.0.0.1"),
        Err("target \"six.example:80\": cannot resolve six.example: it has no IPv4 address, \
             which --source 10.0.0.1 needs"),
    );
    check(
        &["silent.example:80"],
        None,
        Err("target \"silent.example:80\": cannot resolve silent.example: no answer from the \
             resolver within 50ms"),
    );
    check(
        &["[fe80::1%nowhere]:80"],
        None,
        Err("target \"[fe80::1%nowhere]:80\": cannot resolve fe80::1: there is no network \
             interface nowhere"),
    );
}

#[test]
fn a_literal_never_reaches_the_resolver_and_a_name_is_looked_up_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup: Arc<Lookup> = Arc::new(move |_: &str| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(vec!["10.0.0.9".parse().unwrap()])
    });
    let literals = specs(&["10.0.0.1:80", "[::1]:80", "[::ffff:10.0.0.1]:80", "[fe80::1%1]:80"]);
    let resolved = resolve(literals, None, PATIENCE, Arc::clone(&lookup)).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(resolved[2].address.to_string(), "[::ffff:10.0.0.1]:80");
    assert_eq!(resolved[3].address.to_string(), "[fe80::1%1]:80");

    let names = specs(&["a.example:1", "a.example:2", "b.example:1"]);
    let resolved = resolve(names, None, PATIENCE, lookup).unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    assert_eq!(resolved[1].address.to_string(), "10.0.0.9:2");
    assert_eq!(resolved[1].host, "a.example");
}

#[test]
fn an_interface_must_exist() {
    assert_eq!(super::interface_index("lo"), Some(1), "the loopback interface is always the first");
    assert_eq!(super::interface_index("nowhere"), None);
}
