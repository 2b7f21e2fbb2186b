//! What is wrong with a configuration: one line each, with the place, the key and the remedy.

use std::{fmt, sync::Arc};

use crate::{echo, position::Position};

/// Who repairs a file works from the top, and checks it again: more would not be read.
pub const MOST_PROBLEMS: usize = 100;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, the variable or the flag.
    pub source: Arc<str>,
    /// Where it is in the file. Line 0 stands for an unknown line: the key says where.
    pub position: Option<Position>,
    /// The key, as `targets[3].interval`; empty if the file as a whole is meant.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.source.to_string();
        if let Some(position) = self.position.filter(|position| position.line > 0) {
            line += &format!(":{position}");
        }
        if !self.key.is_empty() {
            line += &format!(": {}", self.key);
        }
        // Control characters would break the line, or do worse to a terminal.
        let whole = format!("{line}: {}", self.text).replace(char::is_control, " ");
        f.write_str(&echo::line(&whole))
    }
}

/// Everything that is wrong with a configuration, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    left_out: usize,
}

impl Problems {
    /// No problem was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The first [`MOST_PROBLEMS`].
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many more there are.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.list.len() < MOST_PROBLEMS {
            self.list.push(problem);
        } else {
            self.left_out += 1;
        }
    }

    pub(crate) const fn leave_out(&mut self, more: usize) {
        self.left_out += more;
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.left_out += other.left_out;
        other.list.into_iter().for_each(|problem| self.push(problem));
    }

    /// In the order of the file; what has no place comes first.
    pub(crate) fn sorted(mut self) -> Self {
        self.list.sort_by_key(|problem| problem.position);
        self
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self { list: vec![problem], left_out: 0 }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.list.iter().enumerate() {
            write!(f, "{}{problem}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::{MOST_PROBLEMS, Problem, Problems};

    #[test]
    fn a_problem_is_one_line() {
        let problem = Problem {
            source: "a.yaml".into(),
            position: None,
            key: "targets[0]".to_owned(),
            text: format!("\"{}\u{1b}[2J\n\": not a target", "x".repeat(1 << 20)),
        };
        let line = problem.to_string();
        assert!(line.starts_with("a.yaml: targets[0]: \"xxx") && line.len() < 200, "{line}");
        assert!(!line.contains(char::is_control), "{line}");
    }

    #[test]
    fn their_number_is_bounded_and_the_rest_is_counted() {
        let mut problems = Problems::default();
        for number in 0..MOST_PROBLEMS + 5 {
            problems.push(Problem {
                source: "a".into(),
                position: None,
                key: number.to_string(),
                text: String::new(),
            });
        }
        assert_eq!((problems.iter().count(), problems.left_out()), (MOST_PROBLEMS, 5));
    }
}
