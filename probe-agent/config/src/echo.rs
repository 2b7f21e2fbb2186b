//! What the user has written, as it appears in a message: cut, so that a message stays a line.

use std::{borrow::Cow, fmt};

/// The most characters of one input in a message: enough to recognise it.
const MOST: usize = 80;

/// The most characters of a message, and how many of them are kept at its end, where the remedy is.
const MOST_OF_LINE: usize = 1_000;
const END_OF_LINE: usize = 300;

/// Shows an input with at most 80 characters: with `{}` as it is, with `{:?}` in quotes and escaped.
#[derive(Clone, Copy)]
pub struct Echo<T>(pub T);

impl<T: AsRef<str>> fmt::Display for Echo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&cut(self.0.as_ref(), MOST))
    }
}

impl<T: AsRef<str>> fmt::Debug for Echo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", cut(self.0.as_ref(), MOST))
    }
}

fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let start = text.char_indices().nth(most).and_then(|(end, _)| text.get(..end));
    start.map_or(text.into(), |start| format!("{start}...").into())
}

/// A text without the name and password of a URL in it, and without its query, which may hold a token.
#[must_use]
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return text.into() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (path, query) = path.split_once('?').map_or((path, ""), |(path, _)| (path, "?***"));
    format!("{scheme}://{host}{path}{query}").into()
}

/// A message that other code has made of an input of any length: each word is cut, and so is the whole.
#[must_use]
pub fn line(message: &str) -> Cow<'_, str> {
    if message.len() <= MOST {
        return message.into();
    }
    let words = message.split(' ').map(word).collect::<Vec<_>>().join(" ");
    let length = words.chars().count();
    if length <= MOST_OF_LINE {
        return words.into();
    }
    let end: String = words.chars().skip(length - END_OF_LINE).collect();
    format!("{} {end}", cut(&words, MOST_OF_LINE - END_OF_LINE)).into()
}

/// A path or an address may be somewhat longer than other inputs; what closes the word is kept.
fn word(word: &str) -> Cow<'_, str> {
    let is_closing = |c: char| matches!(c, '\'' | '"' | ':' | ';' | ',' | ')');
    let text = word.trim_end_matches(is_closing);
    match text.char_indices().nth(4 * MOST) {
        Some(_) => {
            let closing: String = word.chars().skip(text.chars().count()).take(3).collect();
            format!("{}{closing}", cut(text, MOST)).into()
        }
        None => word.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Echo, line, without_secrets};

    #[test]
    fn secrets_are_not_shown() {
        for (text, shown) in [
            ("http://me:secret@a:80/x?token=y#z", "http://a:80/x?***"),
            ("http://a/x@y", "http://a/x@y"),
            ("http://a@b@c", "http://c"),
            ("https://?x", "https://?***"),
            ("me:secret@a", "me:secret@a"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn an_input_is_cut() {
        let long = "\u{fc}".repeat(100);
        let kept = format!("{}...", "\u{fc}".repeat(80));
        assert_eq!(Echo(&long).to_string(), kept);
        assert_eq!(format!("{:?}", Echo(&long)), format!("\"{kept}\""));
        assert_eq!(format!("{:?}", Echo("a\n")), "\"a\\n\"");
        assert_eq!(Echo("a".repeat(80)).to_string(), "a".repeat(80));
    }

    #[test]
    fn a_message_is_cut() {
        let long = "x".repeat(1 << 20);
        let kept = format!("{}...", "x".repeat(80));
        assert_eq!(
            line(&format!("invalid value '{long}' for '--timeout': no unit")),
            format!("invalid value '{}...' for '--timeout': no unit", "x".repeat(79))
        );
        assert_eq!(line(&format!("{long}: empty")), format!("{kept}: empty"));
        let words = format!("invalid value '{}' for it", "word ".repeat(1 << 20));
        let cut = line(&words);
        assert!(cut.starts_with("invalid value 'word ") && cut.ends_with(" for it"), "{cut}");
        assert!(cut.chars().count() <= 1_010, "{}", cut.len());
        let path = format!("/{}: cannot read", "p".repeat(300));
        assert_eq!(line(&path), path, "an ordinary path is shown in full");
    }
}
