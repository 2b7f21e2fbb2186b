//! Parses a command line; every error is one line, ready for a log.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
};

use clap::{
    Arg, CommandFactory as _, Parser, ValueEnum as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{Cli, log::LogFormat};

/// What to do instead of running a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Print the help or the version on stdout.
    Print(String),
    /// Report this error, which is one line; the exit code is 2.
    Usage(String),
}

/// Parses a command line, the program's name first.
///
/// # Errors
/// What to do instead of running a command.
pub(crate) fn parse<I, T>(arguments: I) -> Result<Cli, Stop>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    Cli::try_parse_from(&arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Print(error.render().to_string())
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let example = match arguments.get(1).and_then(|word| word.to_str()) {
                Some("config") => "config check FILE...",
                _ => "check TARGET...",
            };
            Stop::Usage(format!("no command: run 'probe-agent {example}' (see --help)"))
        }
        _ => Stop::Usage(
            negative(&error, &arguments).unwrap_or_else(|| one_line(&error.render().to_string())),
        ),
    })
}

/// The format for messages that a command line asks for, even if it is invalid otherwise.
pub(crate) fn log_format<T: AsRef<OsStr>>(arguments: &[T]) -> LogFormat {
    let words: Vec<Cow<'_, str>> =
        arguments.iter().map(|word| word.as_ref().to_string_lossy()).collect();
    let flags = words.iter().take_while(|word| *word != "--");
    let values = flags.zip(words.iter().skip(1).map(Some).chain([None])).filter_map(
        |(word, next)| match word.strip_prefix("--log-format") {
            Some("") => next.map(AsRef::as_ref),
            Some(value) => value.strip_prefix('='),
            None => None,
        },
    );
    values.last().and_then(|value| LogFormat::from_str(value, false).ok()).unwrap_or_default()
}

/// The error for a negative value, which no flag accepts. clap's own is misleading: it reads
/// `--count -1` as two flags and calls `--count=-1` an invalid digit.
fn negative(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    let is_negative = |text: &str| {
        text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let line = |flag: &str, value: &str| format!("{flag} {value}: must not be negative");
    if let Some(value) = text(ContextKind::InvalidValue).filter(|value| is_negative(value)) {
        return Some(line(text(ContextKind::InvalidArg)?.split(' ').next()?, value));
    }
    // The unknown argument must be the number itself, not something before it. -4 and -6 are flags: the flag
    // before them lacks its value.
    let is_unknown = error.kind() == ErrorKind::UnknownArgument
        && text(ContextKind::InvalidArg).is_some_and(is_negative);
    let lacks_value = error.kind() == ErrorKind::InvalidValue
        && text(ContextKind::InvalidValue).is_none_or(str::is_empty);
    if !is_unknown && !lacks_value {
        return None;
    }
    let words = arguments.iter().map(|word| word.to_str().unwrap_or_default());
    let (flag, value) = words
        .clone()
        .zip(words.skip(1))
        .find(|(flag, value)| is_negative(value) && takes_a_value(flag))?;
    Some(line(flag, value))
}

/// Whether a word is a flag that takes a value.
fn takes_a_value(word: &str) -> bool {
    let matches = |arg: &Arg| {
        let long = arg.get_long().is_some_and(|name| word.strip_prefix("--") == Some(name));
        let short = arg.get_short().is_some_and(|name| word == format!("-{name}"));
        (long || short) && arg.get_action().takes_values()
    };
    let root = Cli::command();
    let mut commands = std::iter::once(&root).chain(root.get_subcommands());
    commands.any(|command| command.get_arguments().any(matches))
}

/// Joins clap's paragraphs into one line: the error, the possible values and the tips. Drops the usage
/// and the pointer to `--help`.
fn one_line(rendered: &str) -> String {
    let mut line = String::new();
    for part in rendered.lines().map(str::trim) {
        if part.starts_with("Usage:") || part.starts_with("For more information") {
            break;
        }
        if part.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push_str(if part.starts_with("tip:") { "; " } else { " " });
        }
        line.push_str(part);
    }
    line.strip_prefix("error: ").map(str::to_owned).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::{LogFormat, Stop, log_format, parse};

    #[test]
    fn the_format_of_messages_is_found_in_an_invalid_command_line() {
        for (command_line, format) in [
            ("probe-agent", LogFormat::Text),
            ("probe-agent chekc --log-format json", LogFormat::Json),
            ("probe-agent --log-format=json check --bogus", LogFormat::Json),
            ("probe-agent check --log-format json --log-format text", LogFormat::Text),
            ("probe-agent check --log-format xml", LogFormat::Text),
            ("probe-agent check --log-format", LogFormat::Text),
            ("probe-agent check -- --log-format json", LogFormat::Text),
            ("probe-agent check --log-formats json", LogFormat::Text),
        ] {
            let words: Vec<&str> = command_line.split_whitespace().collect();
            assert_eq!(log_format(&words), format, "{command_line}");
        }
    }

    #[track_caller]
    fn usage(command_line: &str) -> String {
        match parse(command_line.split_whitespace()) {
            Err(Stop::Usage(line)) => line,
            other => panic!("{command_line}: {other:?}"),
        }
    }

    #[test]
    fn usage_errors_are_one_line() {
        for (command_line, line) in [
            ("probe-agent", "no command: run 'probe-agent check TARGET...' (see --help)"),
            (
                "probe-agent config",
                "no command: run 'probe-agent config check FILE...' (see --help)",
            ),
            (
                "probe-agent config check",
                "the following required arguments were not provided: <FILE>...",
            ),
            (
                "probe-agent chekc",
                "unrecognized subcommand 'chekc'; tip: a similar subcommand exists: 'check'",
            ),
            (
                "probe-agent check a:1 --outptu json",
                "unexpected argument '--outptu' found; tip: a similar argument exists: '--output'",
            ),
            (
                "probe-agent check a:1 --output xml",
                "invalid value 'xml' for '--output <FORMAT>' [possible values: table, ladder, json, jsonl]",
            ),
            (
                "probe-agent check a:1 --timeout 5",
                "invalid value '5' for '--timeout <TIME>': no unit: write 5s or 5ms",
            ),
            (
                "probe-agent check a:1 --no-kernel --require-kernel",
                "the argument '--no-kernel' cannot be used with '--require-kernel'",
            ),
            (
                "probe-agent check a:1 --outptu json --count -1",
                "unexpected argument '--outptu' found; tip: a similar argument exists: '--output'",
            ),
            (
                "probe-agent check a:1 --bogus -5",
                "unexpected argument '--bogus' found; tip: to pass '--bogus' as a value, use '-- --bogus'",
            ),
            (
                "probe-agent check a:1 --no-kernel -1",
                "unexpected argument '-1' found; tip: to pass '-1' as a value, use '-- -1'",
            ),
            ("probe-agent check a:1 --count -1 --outptu", "--count -1: must not be negative"),
            ("probe-agent check a:1 --count -4", "--count -4: must not be negative"),
            ("probe-agent check a:1 -c -6", "-c -6: must not be negative"),
            (
                "probe-agent check a:1 --count",
                "a value is required for '--count <N>' but none was supplied",
            ),
            ("probe-agent check a:1 -c-1", "--count -1: must not be negative"),
            ("probe-agent check a:1 --timeout=-2s", "--timeout -2s: must not be negative"),
            ("probe-agent check -i -2s a:1", "-i -2s: must not be negative"),
            ("probe-agent check a:1 --log-level -1", "--log-level -1: must not be negative"),
            (
                "probe-agent check a:1 --log-level loud",
                "invalid value 'loud' for '--log-level <LEVEL>' [possible values: error, warn, info, debug, trace, off]",
            ),
            (
                "probe-agent check a:1 --no-kernel -x",
                "unexpected argument '-x' found; tip: to pass '-x' as a value, use '-- -x'",
            ),
            (
                "probe-agent check a:1 --workers 0",
                "invalid value '0' for '--workers <N>': 0 is not in 1..=256",
            ),
        ] {
            assert_eq!(usage(command_line), line, "{command_line}");
        }
    }

    #[test]
    fn help_and_version_are_printed() {
        for command_line in [
            "probe-agent --help",
            "probe-agent check --help",
            "probe-agent demo -h",
            "probe-agent config --help",
            "probe-agent config show -h",
        ] {
            let parsed = parse(command_line.split_whitespace());
            assert!(matches!(parsed, Err(Stop::Print(_))), "{command_line}");
        }
        let version = parse(["probe-agent", "--version"]);
        let expected = format!("probe-agent {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(version.err(), Some(Stop::Print(expected)));
    }

    #[test]
    fn the_definition_is_sound() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }
}
