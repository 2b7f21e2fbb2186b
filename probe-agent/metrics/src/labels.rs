//! The labels of a target: checked once, and written once.

use crate::page::escape_into;

/// The most labels that a target may have beside its name and address.
const MOST_LABELS: usize = 16;
/// The most bytes of a label's value.
const LONGEST_VALUE: usize = 256;
/// Labels that the metrics use themselves.
pub(crate) const RESERVED: [&str; 10] = [
    "address", "le", "outcome", "place", "proof", "reason", "sender", "state", "target", "verdict",
];

/// Why a label cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Its name is not one that Prometheus accepts.
    #[error(
        "the label `{0}` is not a name: use letters, digits and `_`, not a digit first, nor `__`"
    )]
    Name(String),
    /// The metrics have a label of that name.
    #[error("the label `{0}` is one of the agent's own: choose another name")]
    Reserved(String),
    /// The same name twice.
    #[error("the label `{0}` is given twice: remove one of them")]
    Twice(String),
    /// Its value is too long.
    #[error("the value of the label `{0}` has {1} bytes: use at most {LONGEST_VALUE}")]
    Long(String, usize),
    /// There are too many of them.
    #[error("a target has {0} labels: use at most {MOST_LABELS}")]
    Many(usize),
}

/// The labels of one target, escaped and joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetLabels(String);

impl TargetLabels {
    /// The labels of a target: its name, its address in words, and those of its configuration.
    ///
    /// # Errors
    /// Which label cannot be used, and why. Each bound is one of the number of series and of their size.
    pub fn new<'a>(
        name: &str,
        address: &str,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, LabelError> {
        let mut text = String::from("target=\"");
        escape_into(&mut text, name);
        text.push_str("\",address=\"");
        escape_into(&mut text, address);
        text.push('"');
        let mut seen: Vec<&str> = Vec::new();
        for (name, value) in labels {
            check(name, value, &seen)?;
            seen.push(name);
            text.push(',');
            text.push_str(name);
            text.push_str("=\"");
            escape_into(&mut text, value);
            text.push('"');
        }
        if seen.len() > MOST_LABELS {
            return Err(LabelError::Many(seen.len()));
        }
        text.shrink_to_fit();
        Ok(Self(text))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(name: &str, value: &str, seen: &[&str]) -> Result<(), LabelError> {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_name = name.starts_with(is_first)
        && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
        && !name.starts_with("__");
    if !is_name {
        Err(LabelError::Name(name.to_owned()))
    } else if RESERVED.contains(&name) {
        Err(LabelError::Reserved(name.to_owned()))
    } else if seen.contains(&name) {
        Err(LabelError::Twice(name.to_owned()))
    } else if value.len() > LONGEST_VALUE {
        Err(LabelError::Long(name.to_owned(), value.len()))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LabelError, MOST_LABELS, TargetLabels};

    fn labels(labels: &[(&str, &str)]) -> Result<String, LabelError> {
        TargetLabels::new("db:1", "10.0.0.1:1", labels.iter().copied()).map(|l| l.0)
    }

    #[test]
    fn values_are_escaped_once() {
        let text = labels(&[("env", "a \"b\"\\\n")]).unwrap();
        assert_eq!(text, r#"target="db:1",address="10.0.0.1:1",env="a \"b\"\\\n""#);
    }

    #[test]
    fn a_label_that_prometheus_or_the_agent_could_not_use_is_refused() {
        for name in ["", "1a", "a-b", "a b", "ä", "__name__"] {
            assert_eq!(labels(&[(name, "x")]), Err(LabelError::Name(name.to_owned())));
        }
        assert_eq!(labels(&[("le", "x")]), Err(LabelError::Reserved("le".to_owned())));
        assert_eq!(labels(&[("a", "x"), ("a", "y")]), Err(LabelError::Twice("a".to_owned())));
        let long = "x".repeat(257);
        assert_eq!(labels(&[("a", &long)]), Err(LabelError::Long("a".to_owned(), 257)));
        let names: Vec<String> = (0..=MOST_LABELS).map(|n| format!("l{n}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
        assert_eq!(labels(&many), Err(LabelError::Many(17)));
        assert!(labels(&many[1..]).is_ok());
    }
}
