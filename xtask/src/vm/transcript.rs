//! What each command in a virtual machine printed.
//!
//! Each line of the file begins with a sign: `#` the kernel's release, `@` the name of a situation, `>` a line
//! of its standard output, `!` of its standard error, `?` its exit code, `*` a complaint of the kernel, and `.`
//! the end.

/// Everything that a machine reported.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Transcript {
    /// The kernel's release, such as `6.1.0-56-cloud-amd64`.
    pub(super) release: String,
    pub(super) runs: Vec<Run>,
    /// Complaints in the kernel's log.
    pub(super) complaints: Vec<String>,
}

/// One command.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    /// The situation's name.
    pub(super) name: String,
    pub(super) out: Vec<String>,
    pub(super) err: Vec<String>,
    pub(super) code: Option<i32>,
}

/// Reads a transcript; `None` if it does not reach its end, or is none.
pub(super) fn parse(text: &str) -> Option<Transcript> {
    let mut found = Transcript::default();
    let mut has_ended = false;
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let mut characters = line.chars();
        let (sign, rest) = (characters.next()?, characters.as_str().to_owned());
        match (sign, found.runs.last_mut()) {
            ('#', _) => found.release = rest,
            ('@', _) => found.runs.push(Run { name: rest, ..Run::default() }),
            ('>', Some(run)) => run.out.push(rest),
            ('!', Some(run)) => run.err.push(rest),
            ('?', Some(run)) => run.code = rest.parse().ok(),
            ('*', _) => found.complaints.push(rest),
            ('.', _) => has_ended = true,
            _ => return None,
        }
    }
    has_ended.then_some(found)
}

impl Transcript {
    /// `Linux 6.1` of `6.1.0-56-cloud-amd64`: what does not change with each update of the package.
    pub(super) fn series(&self) -> String {
        let numbers: Vec<&str> = self.release.split('.').take(2).collect();
        format!("Linux {}", numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_belongs_to_the_command_before_it() {
        let text = "#6.1.0-56-cloud-amd64\r\n@one\r\n>{}\n!a warning\n?1\n@two\n?0\n*BUG: x\n.\n";
        let found = parse(text).unwrap();
        assert_eq!(found.series(), "Linux 6.1");
        let one = Run {
            name: "one".into(),
            out: vec!["{}".into()],
            err: vec!["a warning".into()],
            code: Some(1),
        };
        assert_eq!(found.runs[0], one);
        assert_eq!(found.runs[1].code, Some(0));
        assert_eq!(found.complaints, ["BUG: x"]);
    }

    #[test]
    fn a_machine_that_stopped_early_gives_none() {
        assert_eq!(parse("#6.1\n@one\n>{}\n"), None);
        assert_eq!(parse(""), None);
    }
}
