//! Colours and widths for the terminal.

use std::{
    borrow::Cow,
    env,
    ffi::OsStr,
    io::{self, IsTerminal},
};

use model::{outcome::Outcome, verdict::Verdict};

/// The width without a terminal.
const PLAIN_WIDTH: usize = 100;
/// A ladder does not fit into less than the lower bound; lines above the upper bound are hard to read.
const WIDTHS: (usize, usize) = (40, 120);
/// Below this width, a label has a line of its own, above its text.
const NARROW: usize = 72;

/// How results look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Characters per line.
    pub width: usize,
}

/// What a colour expresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Unusual, but the target is up.
    Odd,
    /// Wrong.
    Bad,
    /// A heading.
    Strong,
    /// Less important, or concluded and not seen.
    Faint,
    /// Everything else.
    Plain,
}

impl Look {
    /// For files and pipes: no colours and a fixed width.
    pub const PLAIN: Self = Self { colour: false, width: PLAIN_WIDTH };

    /// The look of this process's stdout.
    #[must_use]
    pub fn of_stdout() -> Self {
        if !io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Self {
            colour: colours(env::var_os("NO_COLOR").as_deref(), env::var_os("TERM").as_deref()),
            width: width.clamp(WIDTHS.0, WIDTHS.1),
        }
    }

    /// Whether the line has no room for a label or a note beside a text.
    pub(super) const fn is_narrow(&self) -> bool {
        self.width < NARROW
    }

    /// `text` in the colour of its tone.
    #[must_use]
    pub fn paint<'a>(&self, tone: Tone, text: &'a str) -> Cow<'a, str> {
        let code = match tone {
            Tone::Good => "32",
            Tone::Odd => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Plain => return Cow::Borrowed(text),
        };
        if self.colour {
            Cow::Owned(format!("\x1b[{code}m{text}\x1b[0m"))
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// Whether a terminal gets colours: not if `NO_COLOR` is set and not empty (no-color.org).
fn colours(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty) && term.is_some_and(|term| term != "dumb")
}

/// The colour of a verdict.
pub(super) fn verdict_tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Clean => Tone::Good,
        Verdict::AckLeaked | Verdict::LocalDrop | Verdict::SimultaneousOpen => Tone::Bad,
        Verdict::RstLostSynackRetransmit
        | Verdict::RstLostPortReuse
        | Verdict::StaleSynRecvChallengeAck
        | Verdict::StaleSynRecvReset
        | Verdict::ChallengeAck
        | Verdict::TargetReset
        | Verdict::LateSynack
        | Verdict::SynRetransmitted
        | Verdict::RstLostUnrecovered => Tone::Odd,
        Verdict::Refused | Verdict::TimedOut | Verdict::Unreachable | Verdict::LocalError => {
            Tone::Bad
        }
    }
}

/// The colour of an outcome.
pub(super) fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Alive => Tone::Good,
        Outcome::Refused | Outcome::TimedOut | Outcome::Unreachable | Outcome::LocalError => {
            Tone::Bad
        }
    }
}

/// An outcome for people: its stable name without underscores.
pub(super) fn outcome_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Alive => "alive",
        Outcome::Refused => "refused",
        Outcome::TimedOut => "timed out",
        Outcome::Unreachable => "unreachable",
        Outcome::LocalError => "local error",
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{Look, Tone, colours};

    #[test]
    fn colours_only_where_they_are_wanted() {
        for (no_color, term, expected) in [
            (None, Some("xterm"), true),
            (Some(""), Some("xterm"), true),
            (Some("1"), Some("xterm"), false),
            (None, Some("dumb"), false),
            (None, None, false),
        ] {
            assert_eq!(colours(no_color.map(OsStr::new), term.map(OsStr::new)), expected);
        }
        assert_eq!(Look::PLAIN.paint(Tone::Bad, "x"), "x");
        let look = Look { colour: true, width: 80 };
        assert_eq!(look.paint(Tone::Bad, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(look.paint(Tone::Plain, "x"), "x");
    }
}
