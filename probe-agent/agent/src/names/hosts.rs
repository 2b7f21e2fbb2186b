//! `/etc/hosts`: addresses and their names.

use std::{collections::HashMap, net::IpAddr};

/// The addresses of each name, in lower case.
#[derive(Debug, Default)]
pub(super) struct Hosts(HashMap<String, Vec<IpAddr>>);

impl Hosts {
    /// Reads the text of the file. What is no address is ignored, as the C library does.
    pub(super) fn parse(text: &str) -> Self {
        let mut hosts: HashMap<String, Vec<IpAddr>> = HashMap::new();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or(line).split_whitespace();
            let Some(ip) = words.next().and_then(|word| word.parse().ok()) else { continue };
            for name in words {
                let ips = hosts.entry(name.to_ascii_lowercase()).or_default();
                if !ips.contains(&ip) {
                    ips.push(ip);
                }
            }
        }
        Self(hosts)
    }

    /// The addresses of a name. `localhost` has those of the loopback interface, whether the file lists it
    /// or not (RFC 6761, section 6.3).
    pub(super) fn get(&self, name: &str) -> Option<Vec<IpAddr>> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if let Some(ips) = self.0.get(&name) {
            return Some(ips.clone());
        }
        let loopback = name == "localhost" || name.ends_with(".localhost");
        loopback.then(|| vec![[127, 0, 0, 1].into(), [0, 0, 0, 0, 0, 0, 0, 1].into()])
    }
}

#[cfg(test)]
mod tests {
    use super::Hosts;

    #[test]
    fn names_and_their_addresses() {
        let hosts = Hosts::parse(
            "# all\n10.0.0.7 db.example DB # the database\n\n2001:db8::7\tdb.example\nfe80::1%lo x\n\
             10.0.0.7 db\nnonsense y\n",
        );
        let get = |name| hosts.get(name).map(|ips| ips.iter().map(ToString::to_string).collect());
        let both: Option<Vec<String>> = Some(vec!["10.0.0.7".into(), "2001:db8::7".into()]);
        for (name, expected) in [
            ("db.example", both.clone()),
            ("Db.Example.", both),
            ("db", Some(vec!["10.0.0.7".into()])),
            ("x", None),
            ("y", None),
            ("localhost", Some(vec!["127.0.0.1".into(), "::1".into()])),
            ("a.localhost", Some(vec!["127.0.0.1".into(), "::1".into()])),
        ] {
            assert_eq!(get(name), expected, "{name}");
        }
        let own = Hosts::parse("127.0.0.2 localhost");
        assert_eq!(own.get("localhost"), Some(vec![[127, 0, 0, 2].into()]));
    }
}
