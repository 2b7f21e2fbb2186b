//! The proxy on the way to a collector, from the variables that most programs read.
//!
//! `HTTP_PROXY` is for `http://` endpoints and `HTTPS_PROXY` for `https://` endpoints; `ALL_PROXY` is for
//! both. The upper-case name comes before the lower-case one. `NO_PROXY` lists what is reached directly:
//! names with their subdomains, addresses, networks (`10.0.0.0/8`), each with or without a port, or `*`.
//! This host itself (`localhost` and loopback addresses) is always reached directly. That is how Go programs
//! read these variables, with `ALL_PROXY` added.

use std::net::IpAddr;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri, uri::Scheme};
use percent_encoding::percent_decode_str;

use crate::zone;

use super::{environment::Settings, error::ConfigError, setting::Setting};

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its URL, without credentials.
    pub url: Uri,
    /// Its credentials (`Proxy-Authorization`), marked as sensitive.
    pub authorization: Option<HeaderValue>,
}

impl Proxy {
    /// The proxy for an endpoint.
    pub(super) fn of<E: Fn(&str) -> Option<String>>(
        endpoint: &Uri,
        settings: &Settings<E>,
    ) -> Result<Option<Self>, ConfigError> {
        let either = |name: &str| {
            settings.variable(name).or_else(|| settings.variable(&name.to_lowercase()))
        };
        let secure = endpoint.scheme() == Some(&Scheme::HTTPS);
        let of_scheme = if secure { "HTTPS_PROXY" } else { "HTTP_PROXY" };
        let Some(setting) = either(of_scheme).or_else(|| either("ALL_PROXY")) else {
            return Ok(None);
        };
        let port = endpoint.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let exempt = either("NO_PROXY").map_or_else(String::new, |list| list.value);
        if is_exempt(zone::without(endpoint).host().unwrap_or_default(), port, &exempt) {
            return Ok(None);
        }
        parse(&setting).map(Some).map_err(|problem| ConfigError::Proxy { setting, problem })
    }
}

fn parse(setting: &Setting) -> Result<Proxy, &'static str> {
    let (scheme, rest) = setting.value.split_once("://").unwrap_or(("http", &setting.value));
    if !scheme.eq_ignore_ascii_case("http") {
        return Err("is not an http:// URL, and no other proxy is supported");
    }
    // A proxy has no path. Its credentials end at the last `@`.
    let (credentials, host) =
        rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
    let host = host.trim_end_matches('/');
    let url: Uri = zone::encoded(&format!("http://{host}"))
        .parse()
        .map_err(|_| "is not the URL of a proxy")?;
    let no_host = url.host().is_none_or(|host| host.is_empty() || host.contains('='));
    if no_host || url.path() != "/" || url.query().is_some() {
        return Err("is not the URL of a proxy");
    }
    Ok(Proxy { url, authorization: credentials.map(basic).transpose()? })
}

/// The header for `user:password`, both percent-encoded.
fn basic(credentials: &str) -> Result<HeaderValue, &'static str> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut plain: Vec<u8> = percent_decode_str(user).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let mut value = HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(plain)))
        .map_err(|_| "has credentials that cannot be sent")?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a host is reached without a proxy.
fn is_exempt(host: &str, port: u16, list: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']).to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|a| a.to_canonical().is_loopback()) {
        return true;
    }
    let entries = list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(str::to_ascii_lowercase).any(|entry| {
        if entry == "*" {
            return true;
        }
        let (name, of_port) = with_port(&entry);
        of_port.is_none_or(|p| p == port)
            && match address {
                Some(address) => covers(name, address),
                None => is_under(&host, name),
            }
    })
}

/// An entry and its port. A colon may also belong to an IPv6 address.
fn with_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((name, port)) = entry.rsplit_once(':')
        && (name.ends_with(']') || !name.contains(':'))
        && let Ok(port) = port.parse()
    {
        return (name.trim_matches(['[', ']']), Some(port));
    }
    (entry.trim_matches(['[', ']']), None)
}

/// Whether an entry is the address, or a network that contains it.
fn covers(entry: &str, address: IpAddr) -> bool {
    let (network, length) = entry.split_once('/').unwrap_or((entry, "128"));
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let (a, b, bits) = match (network, address.to_canonical()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    // A shift by all bits of the type would overflow.
    (a ^ b).checked_shr(bits - length.min(bits)).unwrap_or_default() == 0
}

/// Whether a name is that of the entry, or one under it; an entry that begins with a dot means only those.
fn is_under(host: &str, entry: &str) -> bool {
    let domain = entry.trim_start_matches('*');
    let name = domain.trim_start_matches('.').trim_end_matches('.');
    let Some(prefix) = host.strip_suffix(name) else { return false };
    !name.is_empty() && (prefix.ends_with('.') || prefix.is_empty() && !domain.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::{Proxy, Settings, is_exempt};

    /// The proxy of an endpoint in an environment, or the error.
    fn proxy(endpoint: &str, env: &[(&str, &str)]) -> String {
        let read = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        match Proxy::of(&endpoint.parse().unwrap(), &Settings::new(read)) {
            Ok(None) => "direct".to_owned(),
            Ok(Some(Proxy { url, authorization })) => {
                let secret = authorization.map(|value| {
                    assert!(value.is_sensitive());
                    value.to_str().unwrap().to_owned()
                });
                format!("{url} {}", secret.unwrap_or_default()).trim_end().to_owned()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_scheme_of_the_endpoint_selects_the_variable() {
        let all =
            [("HTTP_PROXY", "p:1"), ("HTTPS_PROXY", "http://s:2/"), ("ALL_PROXY", "http://a:3")];
        assert_eq!(proxy("http://c:4318/", &all), "http://p:1/");
        assert_eq!(proxy("https://c/", &all), "http://s:2/");
        assert_eq!(proxy("https://c/", &[all[0], all[2]]), "http://a:3/");
        assert_eq!(proxy("https://c/", &[all[0]]), "direct");
        assert_eq!(proxy("http://c/", &[("http_proxy", "low:1")]), "http://low:1/");
        assert_eq!(proxy("http://c/", &[("http_proxy", "low:1"), all[0]]), "http://p:1/");
        assert_eq!(proxy("http://c/", &[all[0], ("no_proxy", "d,c")]), "direct");
        // An address is exempt through whatever interface it is reached.
        let exempt = [all[0], ("no_proxy", "fe80::/10")];
        assert_eq!(proxy("http://[fe80::1%25eth0]:4318/", &exempt), "direct");
        let zone = [("http_proxy", "[fe80::1%eth0]:1")];
        assert_eq!(proxy("http://c/", &zone), "http://[fe80::1%25eth0]:1/");
    }

    #[test]
    fn credentials_are_decoded_and_a_proxy_of_another_kind_is_refused_without_them() {
        let of = |value| proxy("http://c/", &[("HTTP_PROXY", value)]);
        assert_eq!(of("http://me:p%40ss@p:1"), "http://p:1/ Basic bWU6cEBzcw==");
        assert_eq!(of("http://me:p@ss@p:1"), "http://p:1/ Basic bWU6cEBzcw==");
        for value in
            ["socks5://me:secret@p", "https://me:secret@p", "http://me:secret@", "http://p/a"]
        {
            let error = of(value);
            assert!(error.starts_with("HTTP_PROXY: ") && error.contains("NO_PROXY"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn exempt_hosts_are_named_by_domain_address_network_and_port() {
        for (host, list, exempt) in [
            ("localhost", "", true),
            ("127.0.0.9", "", true),
            ("[::1]", "", true),
            ("[::ffff:127.0.0.1]", "", true),
            ("c.example", "", false),
            ("c.example", "*", true),
            ("c.example", "a, c.example", true),
            ("c.example", "EXAMPLE", true),
            ("c.example", ".example", true),
            ("c.example", "*.example", true),
            ("example", ".example", false),
            ("c.example.", "c.example", true),
            ("notexample", "example", false),
            ("c.example", "c.example:4318", true),
            ("c.example", "c.example:4317", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.3:4318", true),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.0.0.0/16", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("10.1.2.3", "::/0", false),
            ("[2001:db8::1]", "2001:db8::/32", true),
            ("[2001:db8::1]", "[2001:db8::1]:4318", true),
            ("[2001:db8::1]", "[2001:db8::1]:1", false),
            ("[2001:db8::1]", "::/0", true),
        ] {
            assert_eq!(is_exempt(host, 4318, list), exempt, "{host} in {list:?}");
        }
    }
}
