use super::{Host, TargetSpec};

fn read(text: &str) -> Result<String, String> {
    let spec: TargetSpec = text.parse().map_err(|e: super::TargetProblem| e.to_string())?;
    assert_eq!(spec.name, text);
    Ok(match spec.host {
        Host::Address { ip, zone: None } => format!("{ip} {}", spec.port),
        Host::Address { ip, zone: Some(zone) } => format!("{ip} zone {zone} {}", spec.port),
        Host::Name(name) => format!("name {name} {}", spec.port),
    })
}

#[test]
fn targets() {
    for (text, expected) in [
        ("db.example:5432", "name db.example 5432"),
        ("db.example.:5432", "name db.example. 5432"),
        ("0xyz.example:1", "name 0xyz.example 1"),
        ("a.0xyz:1", "name a.0xyz 1"),
        ("localhost:1", "name localhost 1"),
        ("_x-1.example:65535", "name _x-1.example 65535"),
        ("1.2.3.4:80", "1.2.3.4 80"),
        ("[::1]:80", "::1 80"),
        ("[fe80::1%eth0]:80", "fe80::1 zone eth0 80"),
        ("[fe80::1%2]:80", "fe80::1 zone 2 80"),
        ("[::ffff:10.0.0.1]:80", "::ffff:10.0.0.1 80"),
    ] {
        assert_eq!(read(text), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn an_invalid_target_says_what_to_write() {
    let brackets = "an IPv6 address needs brackets; write e.g. [2001:db8::7]:443";
    let only_v6 = "only an IPv6 address goes in brackets; write e.g. [2001:db8::7]:443";
    for (text, expected) in [
        ("", "empty; write HOST:PORT"),
        ("db.example", "no port; write HOST:PORT, e.g. db.example:443"),
        ("db.example:", "no port; write HOST:PORT, e.g. db.example:443"),
        ("1.2.3.4", "no port; write HOST:PORT, e.g. 1.2.3.4:443"),
        ("[::1]", "no port; write HOST:PORT, e.g. [::1]:443"),
        (":80", "no host; write HOST:PORT"),
        ("x:0", "port \"0\" is not a number from 1 to 65535"),
        ("x:70000", "port \"70000\" is not a number from 1 to 65535"),
        ("x:http", "port \"http\" is not a number from 1 to 65535"),
        ("x:+80", "port \"+80\" is not a number from 1 to 65535"),
        ("[::1]80", "no ':' between the brackets and the port; write e.g. [2001:db8::7]:443"),
        ("::1", brackets),
        ("2001:db8::7:443", brackets),
        ("[::1", only_v6),
        ("[1.2.3.4]:80", only_v6),
        ("http://x:80", "this is a URL; write HOST:PORT, here x:80"),
        ("http://x/path", "this is a URL; write HOST:PORT, here x:80"),
        ("https://x", "this is a URL; write HOST:PORT, here x:443"),
        ("https://[::1]/", "this is a URL; write HOST:PORT, here [::1]:443"),
        ("https://", "this is a URL; write HOST:PORT, here example.org:443"),
        ("10.1:80", "10.1 is not an IPv4 address; write four numbers from 0 to 255"),
        ("0177.0.0.1:80", "0177.0.0.1 is not an IPv4 address; write four numbers from 0 to 255"),
        ("0x7f000001:80", "0x7f000001 is not an IPv4 address; write four numbers from 0 to 255"),
        ("127.0X1:80", "127.0X1 is not an IPv4 address; write four numbers from 0 to 255"),
        ("2130706433:80", "2130706433 is not an IPv4 address; write four numbers from 0 to 255"),
        ("256.1.1.1:80", "256.1.1.1 is not an IPv4 address; write four numbers from 0 to 255"),
        ("a b:80", "' ' is not allowed in a host name"),
        ("a\u{1b}[31m:80", "'\\u{1b}' is not allowed in a host name"),
        ("a..b:80", "not a host name: a label has 1 to 63 characters, the whole name at most 253"),
        (
            "0.0.0.0:80",
            "the unspecified address is not a target; to probe this host, write 127.0.0.1",
        ),
        ("[::]:80", "the unspecified address is not a target; to probe this host, write [::1]"),
        ("224.0.0.1:80", "TCP has no multicast or broadcast; write the address of one host"),
        ("[ff02::1]:80", "TCP has no multicast or broadcast; write the address of one host"),
        ("[fe80::1%]:80", "'%' is not allowed in a host name"),
    ] {
        assert_eq!(read(text), Err(expected.to_owned()), "{text}");
    }
}
