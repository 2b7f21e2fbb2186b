//! What a handler sees of a request.

use std::borrow::Cow;

use http::request::Parts;
use percent_encoding::percent_decode_str;

/// A request without its connection. It has no body: one that had was refused.
#[derive(Clone, Debug)]
pub struct Request {
    parts: Parts,
    is_authorized: bool,
}

impl Request {
    pub(crate) const fn new(parts: Parts, is_authorized: bool) -> Self {
        Self { parts, is_authorized }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// A header field as text; empty if there is none, or if it is not ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the client may see everything. On a route that is open to all it may be false.
    #[must_use]
    pub const fn is_authorized(&self) -> bool {
        self.is_authorized
    }

    /// The first value of a parameter of the query; `None` if there is none.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.parts.uri.query().unwrap_or_default().split('&');
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(key, _)| decoded(key) == name)
            .map(|(_, value)| decoded(value))
    }
}

fn decoded(text: &str) -> String {
    let text = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { text.into() };
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn parameters_are_decoded_and_the_first_one_counts() {
        let uri = "/probe?target=%5B::1%5D:80&module=a+b&target=x&empty&%6dode=%C3%A9%ff";
        let (parts, ()) = http::Request::get(uri).body(()).unwrap().into_parts();
        let request = Request::new(parts, true);
        let of = |name| request.parameter(name);
        assert_eq!(of("target").as_deref(), Some("[::1]:80"));
        assert_eq!(of("module").as_deref(), Some("a b"));
        assert_eq!(of("empty").as_deref(), Some(""));
        assert_eq!(of("mode").as_deref(), Some("é\u{fffd}"));
        assert_eq!(of("none"), None);
        assert_eq!((request.path(), request.header("accept")), ("/probe", ""));
    }
}
