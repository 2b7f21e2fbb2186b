//! A target as written: `HOST:PORT`, with an IPv6 address in brackets.

use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
    time::Duration,
};

use crate::echo::Echo;

/// Target ids are 32 bits wide, and a summary of a million targets already takes minutes to read.
pub const MOST_TARGETS: usize = 1_000_000;

/// A target as written. A host name has no address yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// As the user wrote it.
    pub name: String,
    /// The part before the port.
    pub host: Host,
    /// 1 to 65,535.
    pub port: u16,
    /// Its own interval, if the file of targets sets one.
    pub interval: Option<Duration>,
}

/// The host of a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A literal address, which is never looked up.
    Address {
        /// The address; an IPv4-mapped address stays as it is.
        ip: IpAddr,
        /// The network interface after `%`, by name or index, for a link-local address.
        zone: Option<String>,
    },
    /// A name to look up.
    Name(String),
}

impl Host {
    /// Whether it is IPv4 on the wire; `None` before a lookup.
    #[must_use]
    pub fn is_ipv4(&self) -> Option<bool> {
        match self {
            Self::Address { ip, .. } => Some(ip.to_canonical().is_ipv4()),
            Self::Name(_) => None,
        }
    }

    /// The address, if it is one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Address { ip, .. } => Some(*ip),
            Self::Name(_) => None,
        }
    }

    /// Whether the address is link-local and no network interface is named.
    #[must_use]
    pub fn needs_zone(&self) -> bool {
        match self {
            Self::Address { ip: IpAddr::V6(ip), zone: None } => ip.is_unicast_link_local(),
            Self::Address { .. } | Self::Name(_) => false,
        }
    }
}

/// Why a text is not a target, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetProblem {
    /// Nothing at all.
    #[error("empty; write HOST:PORT")]
    Empty,
    /// A URL.
    #[error("this is a URL; write HOST:PORT, here {}", Echo(.0))]
    Url(String),
    /// No port.
    #[error("no port; write HOST:PORT, e.g. {}:443", Echo(.0))]
    NoPort(String),
    /// No host.
    #[error("no host; write HOST:PORT")]
    NoHost,
    /// An IPv6 address without brackets: its last part could be a port.
    #[error("an IPv6 address needs brackets; write e.g. [2001:db8::7]:443")]
    NoBrackets,
    /// Brackets around something else.
    #[error("only an IPv6 address goes in brackets; write e.g. [2001:db8::7]:443")]
    NotInBrackets,
    /// No colon after the brackets.
    #[error("no ':' between the brackets and the port; write e.g. [2001:db8::7]:443")]
    NoColon,
    /// Not a port.
    #[error("port {:?} is not a number from 1 to 65535", Echo(.0))]
    Port(String),
    /// Numbers and dots that are not an address.
    #[error("{} is not an IPv4 address; write four numbers from 0 to 255", Echo(.0))]
    Ipv4(String),
    /// A character that is not allowed in a host name.
    #[error("{0:?} is not allowed in a host name")]
    Character(char),
    /// A label or the whole name is too long, or a label is empty.
    #[error("not a host name: a label has 1 to 63 characters, the whole name at most 253")]
    Length,
    /// `0.0.0.0` or `::`.
    #[error("the unspecified address is not a target; to probe this host, write {0}")]
    Unspecified(&'static str),
    /// A group, not a host.
    #[error("TCP has no multicast or broadcast; write the address of one host")]
    NotUnicast,
}

impl FromStr for TargetSpec {
    type Err = TargetProblem;

    fn from_str(text: &str) -> Result<Self, TargetProblem> {
        if text.is_empty() {
            return Err(TargetProblem::Empty);
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Err(TargetProblem::Url(without_scheme(scheme, rest)));
        }
        let (host, port) = match text.strip_prefix('[') {
            Some(inner) => {
                let (inside, after) = inner.split_once(']').ok_or(TargetProblem::NotInBrackets)?;
                (bracketed(inside)?, after)
            }
            None => {
                if text.matches(':').count() > 1 {
                    return Err(TargetProblem::NoBrackets);
                }
                let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
                (unbracketed(host)?, port)
            }
        };
        let port = match port.strip_prefix(':') {
            Some(digits) if !digits.is_empty() => parse_port(digits)?,
            Some(_) => return Err(TargetProblem::NoPort(text.trim_end_matches(':').to_owned())),
            None if port.is_empty() => return Err(TargetProblem::NoPort(text.to_owned())),
            None => return Err(TargetProblem::NoColon),
        };
        Ok(Self { name: text.to_owned(), host, port, interval: None })
    }
}

fn parse_port(digits: &str) -> Result<u16, TargetProblem> {
    let number = digits.bytes().all(|b| b.is_ascii_digit());
    digits
        .parse()
        .ok()
        .filter(|port| number && *port != 0)
        .ok_or_else(|| TargetProblem::Port(digits.to_owned()))
}

/// The target that a URL most likely stands for.
fn without_scheme(scheme: &str, rest: &str) -> String {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    // A name and a password are no part of a target, and not for a log.
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| parse_port(port).is_ok());
    match scheme {
        _ if authority.is_empty() => "example.org:443".to_owned(),
        _ if has_port => authority.to_owned(),
        "http" | "ws" => format!("{authority}:80"),
        _ => format!("{authority}:443"),
    }
}

fn bracketed(text: &str) -> Result<Host, TargetProblem> {
    let (ip, zone) = match text.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (text, None),
    };
    let ip: Ipv6Addr = ip.parse().map_err(|_| TargetProblem::NotInBrackets)?;
    if let Some(zone) = zone {
        let bad = zone.chars().find(|c| !c.is_ascii_graphic() || *c == '/');
        match bad {
            Some(character) => return Err(TargetProblem::Character(character)),
            None if zone.is_empty() => return Err(TargetProblem::Character('%')),
            None => {}
        }
    }
    address(IpAddr::V6(ip), zone.map(str::to_owned))
}

fn unbracketed(text: &str) -> Result<Host, TargetProblem> {
    if text.is_empty() {
        return Err(TargetProblem::NoHost);
    }
    if let Ok(ip) = text.parse::<IpAddr>() {
        return address(ip, None);
    }
    // Names are printed on a terminal, so only the characters of host names are accepted. The resolver
    // wants a name in another script in its xn-- form.
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if let Some(character) = text.chars().find(|c| !allowed(*c)) {
        return Err(TargetProblem::Character(character));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.len() > 253 || name.split('.').any(|label| !(1..=63).contains(&label.len())) {
        return Err(TargetProblem::Length);
    }
    // Some programs read `10.1`, `0x0a000001` and `012.0.0.1` as 10.0.0.1, others do not. No top-level
    // domain is a number.
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    if last.bytes().all(|b| b.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return Err(TargetProblem::Ipv4(text.to_owned()));
    }
    Ok(Host::Name(text.to_owned()))
}

fn address(ip: IpAddr, zone: Option<String>) -> Result<Host, TargetProblem> {
    match ip.to_canonical() {
        IpAddr::V4(v4) if v4.is_unspecified() => Err(TargetProblem::Unspecified("127.0.0.1")),
        IpAddr::V6(v6) if v6.is_unspecified() => Err(TargetProblem::Unspecified("[::1]")),
        IpAddr::V4(v4) if v4.is_multicast() || v4.is_broadcast() => Err(TargetProblem::NotUnicast),
        IpAddr::V6(v6) if v6.is_multicast() => Err(TargetProblem::NotUnicast),
        IpAddr::V4(_) | IpAddr::V6(_) => Ok(Host::Address { ip, zone }),
    }
}

#[cfg(test)]
mod tests;
