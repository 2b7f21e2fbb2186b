//! The exit code of the command, decided in one place.

use std::process::ExitCode;

/// How the command ends. The numbers are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Every target went as expected.
    AsExpected,
    /// A target did not.
    NotAsExpected,
    /// The command line or the configuration is wrong; nothing was started.
    Usage,
    /// A privilege is missing that `--require-kernel` asks for; nothing was started.
    Privilege,
    /// The targets went as expected, but spans were rejected or dropped.
    Telemetry,
    /// The agent could not finish: the results could not be written, or this host refused it a thread
    /// or the like.
    Unfinished,
    /// SIGINT, SIGTERM or SIGHUP; the summary so far was printed.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
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

/// What the exit code is decided from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ending {
    /// The command line or the configuration is wrong.
    pub usage_error: bool,
    /// A privilege is missing that is required.
    pub privilege_missing: bool,
    /// Ended by SIGINT, SIGTERM or SIGHUP.
    pub interrupted: bool,
    /// At least one target did not go as expected.
    pub target_unexpected: bool,
    /// Spans were rejected or dropped.
    pub telemetry_lost: bool,
}

impl Ending {
    /// The exit code, the first of these that holds:
    ///
    /// 1. usage, then privilege: nothing was probed, so nothing else can be said;
    /// 2. interrupted: the run is not complete, so a 0 or 1 would claim too much;
    /// 3. a target was not as expected: that is what the caller asked, and lost telemetry does
    ///    not change the answer;
    /// 4. telemetry was lost;
    /// 5. all is well.
    #[must_use]
    pub(crate) fn exit(self) -> Exit {
        if self.usage_error {
            Exit::Usage
        } else if self.privilege_missing {
            Exit::Privilege
        } else if self.interrupted {
            Exit::Interrupted
        } else if self.target_unexpected {
            Exit::NotAsExpected
        } else if self.telemetry_lost {
            Exit::Telemetry
        } else {
            Exit::AsExpected
        }
    }
}

/// Why a run did not start or could not be finished.
#[derive(Debug)]
pub(crate) struct Failure {
    /// One line for stderr.
    pub line: String,
    /// The exit code.
    pub exit: Exit,
}

impl Failure {
    pub(crate) fn usage(error: impl std::fmt::Display) -> Self {
        Self { line: error.to_string(), exit: Exit::Usage }
    }

    pub(crate) fn other(error: impl Into<anyhow::Error>) -> Self {
        Self { line: format!("{:#}", error.into()), exit: Exit::Unfinished }
    }
}

#[cfg(test)]
mod tests {
    use super::Ending;

    #[test]
    fn the_first_that_holds() {
        for (facts, code) in [
            ("", 0),
            ("target", 1),
            ("telemetry", 4),
            ("target telemetry", 1),
            ("interrupted", 130),
            ("interrupted target telemetry", 130),
            ("privilege", 3),
            ("privilege interrupted", 3),
            ("usage", 2),
            ("usage privilege interrupted target telemetry", 2),
        ] {
            let ending = Ending {
                usage_error: facts.contains("usage"),
                privilege_missing: facts.contains("privilege"),
                interrupted: facts.contains("interrupted"),
                target_unexpected: facts.contains("target"),
                telemetry_lost: facts.contains("telemetry"),
            };
            assert_eq!(ending.exit().code(), code, "{facts}");
        }
    }
}
