//! Keeps secrets out of every text that is printed: the query and user name of a URL, and header values.

/// Stands for what is not shown.
const HIDDEN: &str = "***";

/// The most characters of a setting to repeat.
const LONGEST: usize = 200;

/// A shorter value would be found in unrelated words, and protects nothing.
const SHORTEST_SECRET: usize = 4;

/// A URL, or a text that was meant as one, without user name, password, query and fragment.
pub(crate) fn url(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    // A password may itself contain `?`, `#`, `/` or `@`, so where it ends is not always known.
    // A `=` shows that a list of headers was given in place of a URL.
    let shown = match (rest.rsplit_once('@'), rest.find(['?', '#', '='])) {
        (None, None) => rest.to_owned(),
        (None, Some(end)) => format!("{}{}{HIDDEN}", &rest[..end], &rest[end..=end]),
        (Some((_, host)), None) => format!("{HIDDEN}@{host}"),
        (Some(_), Some(_)) => HIDDEN.to_owned(),
    };
    // A scheme is short; a longer text before `://` may be anything.
    if scheme.contains(['@', '?', '#', '=']) {
        HIDDEN.to_owned()
    } else {
        shortened(&(scheme + &shown))
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Texts that must not be printed, although another host may repeat them.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<_> =
            secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_SECRET).collect();
        // The longest first, so that no part of it remains.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(all)
    }

    /// The text without the secrets.
    pub(crate) fn hide(&self, text: &str) -> String {
        let hide = |text: String, secret: &String| text.replace(secret.as_str(), HIDDEN);
        self.0.iter().fold(text.to_owned(), hide)
    }
}

#[cfg(test)]
mod tests {
    use super::{Secrets, url};

    #[test]
    fn no_part_of_a_query_or_of_credentials_is_shown() {
        for (given, shown) in [
            ("http://c:4318/v1/traces", "http://c:4318/v1/traces"),
            ("http://c/a?token=secret", "http://c/a?***"),
            ("http://c/a#secret", "http://c/a#***"),
            ("http://me:secret@c/a", "http://***@c/a"),
            ("http://me:sec/secret@c", "http://***@c"),
            ("http://me:sec@secret@c", "http://***@c"),
            ("http://me:sec?secret@c", "http://***"),
            ("http://c/?to=me@secret", "http://***"),
            ("me:secret@c:4318", "***@c:4318"),
            ("c?secret", "c?***"),
            ("authorization=secret", "authorization=***"),
            ("secret@x://c", "***"),
            ("", ""),
        ] {
            assert_eq!(url(given), shown, "{given}");
            assert!(!url(given).contains("secret"), "{given}");
        }
        assert_eq!(url(&"x".repeat(50_000)).len(), 203);
    }

    #[test]
    fn secrets_are_hidden_with_the_longest_first() {
        let secrets = Secrets::new(["abcd".to_owned(), "abcdefgh".to_owned(), "abc".to_owned()]);
        assert_eq!(secrets.hide("abcdefgh, abcd, abc"), "***, ***, abc");
    }
}
