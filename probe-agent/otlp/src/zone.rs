//! IPv6 zones in URLs, as in `http://[fe80::1%25eth0]:4318` (RFC 6874, RFC 9844): through which interface a
//! link-local address is reached.
//!
//! A zone means something on this host only. It takes part in connecting, and no request carries it.

use std::{borrow::Cow, net::Ipv6Addr};

use http::Uri;
use percent_encoding::percent_decode_str;

/// How `%` is written in a URL.
const PERCENT: &str = "%25";

/// Writes a zone as URLs have it. A plain `%` before it, as in addresses elsewhere, is accepted.
pub(crate) fn encoded(url: &str) -> Cow<'_, str> {
    let plain = || {
        let host = url.find("://[")? + "://[".len();
        let end = host + url.get(host..)?.find(']')?;
        let at = host + url.get(host..end)?.find('%')?;
        let is_encoded =
            url.get(at..end)?.strip_prefix(PERCENT).is_some_and(|zone| !zone.is_empty());
        (!is_encoded).then(|| format!("{}{PERCENT}{}", &url[..at], &url[at + 1..]))
    };
    plain().map_or(Cow::Borrowed(url), Cow::Owned)
}

/// The zone of a URL's host, as it is written there.
pub(crate) fn of(url: &Uri) -> Option<&str> {
    split(url.host()?).map(|(_, zone)| zone)
}

/// The address of a URL's host, without its zone.
pub(crate) fn address(url: &Uri) -> Option<Ipv6Addr> {
    let host = url.host()?.strip_prefix('[')?.strip_suffix(']')?;
    split(host).map_or(host, |(address, _)| address).parse().ok()
}

/// The URL without a zone, for requests.
pub(crate) fn without(url: &Uri) -> Uri {
    rewritten(url, |host, rest| split(host).map(|(address, _)| format!("{address}]{rest}")))
}

/// The URL with a zone, for the connection.
pub(crate) fn with(url: &Uri, zone: &str) -> Uri {
    rewritten(url, |host, rest| {
        let address = host.strip_suffix(']')?;
        Some(format!("{address}{PERCENT}{zone}]{rest}"))
    })
}

/// What `getaddrinfo(3)` takes for a host of a URL.
pub(crate) fn decoded(host: &str) -> Cow<'_, str> {
    match split(host) {
        Some(_) => percent_decode_str(host).decode_utf8_lossy(),
        None => Cow::Borrowed(host),
    }
}

/// The address and the zone of a host.
fn split(host: &str) -> Option<(&str, &str)> {
    let (address, zone) = host.split_once(PERCENT)?;
    address.contains(':').then(|| (address, zone.trim_end_matches(']')))
}

/// The URL with another authority, made of the host (with its brackets) and of what follows it.
fn rewritten(url: &Uri, of: impl Fn(&str, &str) -> Option<String>) -> Uri {
    let changed = || {
        let authority = url.authority()?;
        let rest = authority.as_str().strip_prefix(authority.host())?;
        let mut parts = url.clone().into_parts();
        parts.authority = Some(of(authority.host(), rest)?.try_into().ok()?);
        Uri::from_parts(parts).ok()
    };
    changed().unwrap_or_else(|| url.clone())
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::{address, decoded, encoded, of, with, without};

    #[test]
    fn a_zone_is_written_as_in_a_url() {
        for (given, written) in [
            ("http://[fe80::1%eth0]:4318/a%20b", "http://[fe80::1%25eth0]:4318/a%20b"),
            ("http://[fe80::1%25eth0]:4318", "http://[fe80::1%25eth0]:4318"),
            // An interface may be given by its number.
            ("http://[fe80::1%25]", "http://[fe80::1%2525]"),
            ("http://[fe80::1]/%eth0", "http://[fe80::1]/%eth0"),
            ("http://c/%eth0]", "http://c/%eth0]"),
            ("http://[fe80::1%eth0", "http://[fe80::1%eth0"),
        ] {
            assert_eq!(encoded(given), written, "{given}");
        }
    }

    #[test]
    fn a_zone_is_taken_off_and_put_back() {
        for (text, zone, bare) in [
            (
                "http://[fe80::1%25eth0.7]:4318/v1/traces?k=v",
                "eth0.7",
                "http://[fe80::1]:4318/v1/traces?k=v",
            ),
            ("https://[fe80::1%252]/", "2", "https://[fe80::1]/"),
        ] {
            let url: Uri = text.parse().unwrap();
            assert_eq!(of(&url), Some(zone), "{text}");
            assert_eq!(without(&url), bare, "{text}");
            assert_eq!(with(&without(&url), zone), text, "{text}");
            assert_eq!(address(&url), Some("fe80::1".parse().unwrap()), "{text}");
        }
        for text in ["http://c:4318/", "http://[fe80::1]:4318/", "http://192.0.2.1/"] {
            let url: Uri = text.parse().unwrap();
            assert_eq!((of(&url), without(&url)), (None, url.clone()), "{text}");
        }
    }

    #[test]
    fn the_resolver_gets_a_zone_without_its_encoding() {
        assert_eq!(decoded("fe80::1%25eth0"), "fe80::1%eth0");
        assert_eq!(decoded("fe80::1%25a%2Fb"), "fe80::1%a/b");
        assert_eq!(decoded("collector%25"), "collector%25");
    }
}
