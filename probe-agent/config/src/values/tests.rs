//! Texts in, values or errors out.

use std::{fmt::Display, str::FromStr};

use super::{
    ByteSize, Count, Expectation, FilePath, HttpUrl, Interval, LabelName, LabelValue,
    ListenAddress, MaybeZero, PathPattern, PortList, Share, SourceAddress, TargetAddress,
};

/// A text that prints as it is written, or as the second text; or the error.
fn check<T: FromStr<Err: Display> + Display>(cases: &[(&str, Result<&str, &str>)]) {
    for (text, expected) in cases {
        let seen = text.parse::<T>().map(|value| value.to_string()).map_err(|e| e.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(seen, expected, "{text:?} as {}", std::any::type_name::<T>());
        if let Ok(shown) = seen {
            assert_eq!(shown.parse::<T>().map(|again| again.to_string()).ok(), Some(shown));
        }
    }
}

#[test]
fn periods() {
    check::<Interval>(&[
        ("5s", Ok("5s")),
        ("1500ms", Ok("1500ms")),
        ("60s", Ok("1m")),
        ("0", Err("too short; the minimum is 1ms")),
        ("999us", Err("too short; the minimum is 1ms")),
        ("5", Err("no unit: write 5s or 5ms")),
        ("25h", Err("more than 24h")),
        ("-1s", Err("not a duration: write e.g. 500ms, 2s, 1m")),
    ]);
    check::<MaybeZero>(&[("0", Ok("0")), ("0s", Ok("0")), ("1ns", Ok("1ns"))]);
}

#[test]
fn numbers_and_amounts() {
    let range = Err("write a whole number from 1 to 256");
    check::<Count<1, 256>>(&[
        ("1", Ok("1")),
        ("2_5_6", Ok("256")),
        ("0", range),
        ("257", range),
        ("+1", range),
        ("-1", range),
        ("1.0", range),
        ("", range),
        ("99999999999999999999", range),
    ]);
    let share = Err("write a share from 0% to 100%, e.g. 1% or 0.1%");
    check::<Share>(&[
        ("0%", Ok("0%")),
        ("0.1%", Ok("0.1%")),
        ("100%", Ok("100%")),
        ("100.1%", share),
        ("1", share),
        ("nan%", share),
        ("-1%", share),
    ]);
    let size = Err("write a size from 1MiB to 1024GiB, e.g. 256MiB");
    check::<ByteSize>(&[
        ("256MiB", Ok("256MiB")),
        ("1024 MiB", Ok("1GiB")),
        ("1500KiB", Ok("1500KiB")),
        ("1KiB", size),
        ("1MB", size),
        ("99999999999999999GiB", size),
    ]);
}

#[test]
fn ports() {
    check::<PortList>(&[
        ("443", Ok("443")),
        ("80, 443,8000-8003", Ok("80,443,8000-8003")),
        ("81,80,80", Ok("80-81")),
        ("65535", Ok("65535")),
        ("", Err("write a port from 1 to 65535, or a range: 40000-40999")),
        ("80,", Err("write a port from 1 to 65535, or a range: 40000-40999")),
        ("9-1", Err("the range ends before it starts")),
        ("1-65535", Err("more than 1024 ports; write fewer")),
    ]);
}

#[test]
fn addresses() {
    let single =
        "write the IP address of a single host, or omit it to let the routing table choose";
    check::<SourceAddress>(&[
        ("192.0.2.1", Ok("192.0.2.1")),
        ("::1", Ok("::1")),
        ("0.0.0.0", Err(single)),
        ("::ffff:255.255.255.255", Err(single)),
        ("ff02::1", Err(single)),
        ("eth0", Err(single)),
    ]);
    let listen = "write IP:PORT, e.g. 127.0.0.1:9655 or [::1]:9655";
    check::<ListenAddress>(&[
        ("[::]:80", Ok("[::]:80")),
        ("localhost:80", Err(listen)),
        (":80", Err(listen)),
        ("127.0.0.1:0", Err(listen)),
    ]);
    check::<TargetAddress>(&[
        ("a.example:80", Ok("a.example:80")),
        ("a.example", Ok("a.example")),
        ("[::1]", Ok("[::1]")),
        ("a:", Err("no port; write HOST:PORT, e.g. a:443")),
        ("::1", Err("an IPv6 address needs brackets; write e.g. [2001:db8::7]:443")),
        ("http://a/x", Err("this is a URL; write HOST:PORT, here a:80")),
        ("a b", Err("' ' is not allowed in a host name")),
        ("10.1", Err("10.1 is not an IPv4 address; write four numbers from 0 to 255")),
        ("", Err("empty; write HOST:PORT")),
    ]);
}

#[test]
fn texts() {
    check::<FilePath>(&[
        ("/a b", Ok("/a b")),
        ("a", Err("write an absolute path: it begins with '/'")),
        ("/a\n", Err("write an absolute path: it begins with '/'")),
    ]);
    let pattern =
        "write an absolute path of .json, .yaml or .yml files; its last part may have one '*'";
    check::<PathPattern>(&[
        ("/etc/a.json", Ok("/etc/a.json")),
        ("/etc/*.yml", Ok("/etc/*.yml")),
        ("/etc/a*b*.yml", Err(pattern)),
        ("/e*/a.yml", Err(pattern)),
        ("a.yml", Err(pattern)),
        ("/a.txt", Err(pattern)),
    ]);
    let url = "write a URL, e.g. http://localhost:4318";
    check::<HttpUrl>(&[
        ("https://a.example/x?y", Ok("https://a.example/x?***")),
        ("ftp://a", Err(url)),
        ("http://", Err(url)),
        ("http:///x", Err(url)),
        ("http://:80", Err(url)),
        ("http://a b", Err(url)),
        (
            "http://me:secret@a",
            Err("credentials do not belong into a URL, which is logged; use a file of headers"),
        ),
    ]);
    check::<Expectation>(&[
        ("open", Ok("open")),
        ("opne", Err("write one of open, closed; did you mean \"open\"?")),
        ("x", Err("write one of open, closed")),
    ]);
}

#[test]
fn labels() {
    let characters =
        "not a label name; use letters, digits and '_', not a digit first, at most 128";
    check::<LabelName>(&[
        ("team_1", Ok("team_1")),
        ("1team", Err(characters)),
        ("", Err(characters)),
        ("a-b", Err(characters)),
        ("__a", Err("names that begin with '__' are reserved; choose another")),
    ]);
    let value = "write 1 to 1024 bytes without control characters";
    check::<LabelValue>(&[("\u{fc} x", Ok("\u{fc} x")), ("", Err(value)), ("a\tb", Err(value))]);
}

#[test]
fn a_pattern_names_files_of_a_directory() {
    let pattern: PathPattern = "/etc/sd/a*.json".parse().unwrap();
    assert_eq!(pattern.directory().to_str(), Some("/etc/sd"));
    for (name, expected) in
        [("a.json", true), ("ab.json", true), ("b.json", false), ("a.yml", false), ("a", false)]
    {
        assert_eq!(pattern.matches(name), expected, "{name}");
    }
    let all: PathPattern = "/etc/sd/*.json".parse().unwrap();
    assert!(all.matches("x.json") && !all.matches("..2026.json"), "versions of a ConfigMap");
    assert!("/a.json".parse::<PathPattern>().unwrap().matches("a.json"));
}
