//! What a misspelt word was probably meant to be.

/// A word that differs more was meant otherwise.
const SIMILAR: f64 = 0.7;

/// The known word that is most like the unknown one, if any is. Of two that are, the shorter.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    // No word is so long, and a key may have megabytes.
    if unknown.len() > 64 {
        return None;
    }
    let unknown = unknown.to_lowercase().replace('-', "_");
    let similar = |word: &'a str| {
        let (short, long) = if word.len() < unknown.len() {
            (word, unknown.as_str())
        } else {
            (unknown.as_str(), word)
        };
        let is_part = 2 * short.len() >= long.len() && long.contains(short);
        let likeness = strsim::normalized_damerau_levenshtein(&unknown, word);
        (if is_part { likeness.max(SIMILAR) } else { likeness }, word)
    };
    let all = known.iter().map(|word| similar(word)).filter(|(likeness, _)| *likeness >= SIMILAR);
    let best = all.reduce(|best, next| {
        let is_better = next.0 > best.0 || (next.0 == best.0 && next.1.len() < best.1.len());
        if is_better { next } else { best }
    });
    best.map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_errors_are_recognised() {
        let known = ["interval", "timeout", "settle", "fast_interval", "source", "source_ports"];
        for (unknown, expected) in [
            ("intervall", Some("interval")),
            ("Interval", Some("interval")),
            ("fast-interval", Some("fast_interval")),
            ("fastinterval", Some("fast_interval")),
            ("timout", Some("timeout")),
            ("settel", Some("settle")),
            ("source_port", Some("source_ports")),
            ("scrape_interval", Some("interval")),
            ("fast", None),
            ("x", None),
            ("", None),
            ("module", None),
        ] {
            assert_eq!(nearest(unknown, &known), expected, "{unknown}");
        }
        assert_eq!(nearest(&"interval".repeat(1 << 20), &known), None);
    }
}
