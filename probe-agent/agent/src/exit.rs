//! The exit code of a command, decided in one place.

use std::{io, process::ExitCode};

use model::errno::errno_text;

/// How the command ends. The numbers are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every target behaved as expected.
    AsExpected,
    /// At least one target did not.
    NotAsExpected,
    /// The command line or the configuration is invalid; nothing was started.
    Usage,
    /// A privilege is missing that the command requires; nothing was started.
    Privilege,
    /// The targets behaved as expected, but spans were rejected or dropped.
    Telemetry,
    /// The command could not finish: its results could not be written, or this host refused a resource
    /// such as a thread.
    Unfinished,
    /// SIGINT, SIGTERM or SIGHUP; the summary so far was printed. A service that SIGTERM ends is not
    /// interrupted ([`Stopped::AsService`]).
    Interrupted,
}

impl Exit {
    /// The number that the shell receives.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::AsExpected => 0,
            Self::NotAsExpected => 1,
            Self::Usage => 2,
            Self::Privilege => 3,
            Self::Telemetry => 4,
            Self::Unfinished => 5,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// How a run that was finished went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// What ended it before all its probes were done.
    pub stopped: Option<Stopped>,
    /// At least one target did not behave as expected.
    pub target_unexpected: bool,
    /// Spans were rejected or dropped.
    pub telemetry_lost: bool,
}

/// What ended a run before all its probes were done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// A signal, before a run with a count was complete, or before its spans were delivered; or SIGINT or
    /// SIGHUP.
    Interrupted,
    /// SIGTERM, in a run without an end: that is how a service ends.
    AsService,
}

impl Ending {
    /// The exit code, the first of these that applies:
    ///
    /// 1. interrupted: the run is not complete, so 0 or 1 would claim too much;
    /// 2. a target was not as expected: lost telemetry does not change that answer. A service that is ended
    ///    by its manager has no such answer: it has run for months, and some probe of a target has failed;
    /// 3. telemetry was lost;
    /// 4. all is well.
    ///
    /// What keeps a command from its end comes before all of them: see [`Failure`].
    pub(crate) const fn exit(self) -> Exit {
        match self.stopped {
            Some(Stopped::Interrupted) => Exit::Interrupted,
            None if self.target_unexpected => Exit::NotAsExpected,
            None | Some(Stopped::AsService) if self.telemetry_lost => Exit::Telemetry,
            None | Some(Stopped::AsService) => Exit::AsExpected,
        }
    }
}

/// Why a command did not start or could not finish.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One line, without `error: `.
    pub line: String,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    pub(crate) fn usage(error: impl std::fmt::Display) -> Self {
        Self { line: error.to_string(), exit: Exit::Usage }
    }

    pub(crate) fn privilege(error: impl std::fmt::Display) -> Self {
        Self { line: error.to_string(), exit: Exit::Privilege }
    }

    pub(crate) fn other(error: impl Into<anyhow::Error>) -> Self {
        Self { line: format!("{:#}", error.into()), exit: Exit::Unfinished }
    }
}

/// Whether this host has run out of descriptors or memory, which is no fault of the command line. Works for
/// errors in words, too: these have no number.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    let text = error.to_string();
    [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::EAGAIN]
        .into_iter()
        .any(|errno| error.raw_os_error() == Some(errno) || text == errno_text(errno))
}

#[cfg(test)]
mod tests {
    use std::io;

    use model::errno::in_words;

    use super::{Ending, Exit, Failure, Stopped, is_shortage};

    #[test]
    fn the_first_that_applies_decides() {
        for (facts, code) in [
            ("", 0),
            ("target", 1),
            ("telemetry", 4),
            ("target telemetry", 1),
            ("interrupted", 130),
            ("interrupted target telemetry", 130),
            ("service", 0),
            ("service target", 0),
            ("service telemetry", 4),
            ("service target telemetry", 4),
        ] {
            let stopped = match facts {
                _ if facts.contains("interrupted") => Some(Stopped::Interrupted),
                _ if facts.contains("service") => Some(Stopped::AsService),
                _ => None,
            };
            let ending = Ending {
                stopped,
                target_unexpected: facts.contains("target"),
                telemetry_lost: facts.contains("telemetry"),
            };
            assert_eq!(ending.exit().code(), code, "{facts}");
        }
    }

    #[test]
    fn a_shortage_is_recognised_with_and_without_its_number() {
        for (errno, expected) in [(libc::EMFILE, true), (libc::ENOMEM, true), (libc::EACCES, false)]
        {
            let error = io::Error::from_raw_os_error(errno);
            assert_eq!((is_shortage(&error), is_shortage(&in_words(error))), (expected, expected));
        }
    }

    #[test]
    fn a_failure_has_its_own_code_whatever_was_found_before() {
        assert_eq!(Failure::usage("x").exit.code(), 2);
        assert_eq!(Exit::Privilege.code(), 3);
        assert_eq!(Failure::other(anyhow::anyhow!("x")).exit.code(), 5);
    }
}
