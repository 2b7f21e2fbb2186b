//! Reads settings from the environment, and collects what of it is invalid.

use std::cell::RefCell;

use super::{
    error::{ConfigError, Ignored},
    setting::{Setting, Source},
};

/// The environment, and what of it was invalid.
pub(crate) struct Settings<E> {
    env: E,
    ignored: RefCell<Vec<Ignored>>,
}

impl<E: Fn(&str) -> Option<String>> Settings<E> {
    pub(crate) const fn new(env: E) -> Self {
        Self { env, ignored: RefCell::new(Vec::new()) }
    }

    /// The invalid variables so far.
    pub(crate) fn into_ignored(self) -> Vec<Ignored> {
        self.ignored.into_inner()
    }

    /// Remembers that a variable is invalid, and what is used instead of it.
    pub(crate) fn ignore(&self, error: ConfigError, instead: impl Into<String>) {
        self.ignored.borrow_mut().push(Ignored { error, instead: instead.into() });
    }

    /// A variable by its full name; an empty one counts as unset.
    pub(crate) fn variable(&self, name: &str) -> Option<Setting> {
        self.read(name.to_owned(), Source::Generic)
    }

    /// An exporter variable by the last part of its name: the signal's, else the generic one.
    pub(super) fn otlp(&self, last: &str) -> Option<Setting> {
        self.variables(last).next()
    }

    /// The flag, else the exporter variable.
    pub(super) fn pick(&self, flag: &str, given: Option<&str>, last: &str) -> Option<Setting> {
        given
            .map(|value| Setting {
                name: flag.to_owned(),
                value: value.trim().to_owned(),
                source: Source::Flag,
            })
            .or_else(|| self.otlp(last))
    }

    /// The first valid one of the flag, the signal's variable and the generic one, else the default. An
    /// invalid variable counts as unset (OpenTelemetry, "Environment Variable Specification").
    ///
    /// # Errors
    /// The flag is invalid.
    pub(super) fn choose<T>(
        &self,
        flag: Option<(&str, Option<&str>)>,
        last: &str,
        default: (T, &str),
        parse: impl Fn(&Setting) -> Result<T, ConfigError>,
    ) -> Result<T, ConfigError> {
        if let Some((name, Some(given))) = flag {
            let (name, value) = (name.to_owned(), given.trim().to_owned());
            return parse(&Setting { name, value, source: Source::Flag });
        }
        let mut invalid = Vec::new();
        let mut chosen = None;
        for setting in self.variables(last) {
            match parse(&setting) {
                Ok(value) => {
                    chosen = Some((value, format!("{} is used", setting.name)));
                    break;
                }
                Err(error) => invalid.push(error),
            }
        }
        let (value, instead) = chosen.unwrap_or_else(|| (default.0, default.1.to_owned()));
        invalid.into_iter().for_each(|error| self.ignore(error, &*instead));
        Ok(value)
    }

    /// Whether a Boolean variable is true: it is if it says so, in upper or lower case.
    pub(super) fn boolean(&self, setting: Option<Setting>) -> Option<bool> {
        let setting = setting?;
        let is = |word: &str| setting.value.eq_ignore_ascii_case(word);
        let value = is("true");
        if !value && !is("false") {
            self.ignore(ConfigError::Boolean(setting), "it counts as false");
        }
        Some(value)
    }

    /// The signal's variable and the generic one, as far as they are set.
    fn variables(&self, last: &str) -> impl Iterator<Item = Setting> {
        let names = [
            ("OTEL_EXPORTER_OTLP_TRACES_", Source::Signal),
            ("OTEL_EXPORTER_OTLP_", Source::Generic),
        ];
        names
            .into_iter()
            .filter_map(move |(start, source)| self.read(format!("{start}{last}"), source))
    }

    fn read(&self, name: String, source: Source) -> Option<Setting> {
        let value = (self.env)(&name)?.trim().to_owned();
        (!value.is_empty()).then_some(Setting { name, value, source })
    }
}
