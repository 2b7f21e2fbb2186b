//! Wrapping of text.

use super::style::{Look, Tone};
use model::human;

/// Breaks `text` at spaces into lines of at most `width` characters. A longer word gets a line of its own:
/// it may be an address or a name to be copied, so it is not cut.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let word_length = word.chars().count();
        if length > 0 && length + 1 + word_length > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += word_length;
    }
    if length > 0 {
        lines.push(line);
    }
    lines
}

/// `3 syn_retransmitted` with its colour, as an item for [`wrap_items`].
pub(super) fn counted_item(count: u64, name: &str, tone: Tone, look: Look) -> (usize, String) {
    let count = human::count(count);
    (count.len() + 1 + name.len(), format!("{count} {}", look.paint(tone, name)))
}

/// Joins `items` with commas into lines of at most `width` characters, breaking between items only.
/// Each item is its length without colours, and its text, which may contain colours.
pub(super) fn wrap_items(items: &[(usize, String)], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for (length, text) in items {
        match lines.last_mut() {
            Some(line) if used + 2 + length < width => {
                line.push_str(&format!(", {text}"));
                used += 2 + length;
            }
            full => {
                if let Some(line) = full {
                    line.push(',');
                }
                lines.push(text.clone());
                used = *length;
            }
        }
    }
    lines
}

/// Shortens `text` to `width` characters; `..` marks the cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(2)).chain("..".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::{cut, wrap, wrap_items};

    #[test]
    fn wrapping() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("one  two", 3), ["one", "two"]);
        assert_eq!(wrap("a-very-long-word b", 5), ["a-very-long-word", "b"]);
        assert_eq!(wrap("", 5), Vec::<String>::new());
        assert_eq!((cut("abcdef", 6), cut("abcdefg", 6)), ("abcdef".into(), "abcd..".into()));
    }

    #[test]
    fn items_are_never_broken() {
        let items = ["1 one", "2 two", "3 three"].map(|text| (text.len(), text.to_owned()));
        assert_eq!(wrap_items(&items, 80), ["1 one, 2 two, 3 three"]);
        // The comma at the end of a line needs room too.
        assert_eq!(wrap_items(&items, 13), ["1 one, 2 two,", "3 three"]);
        assert_eq!(wrap_items(&items, 12), ["1 one,", "2 two,", "3 three"]);
        assert_eq!(wrap_items(&[], 12), Vec::<String>::new());
    }
}
