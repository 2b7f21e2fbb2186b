//! A setting and its source, so that an error can name the flag or variable to correct.

/// A value with the name of its flag or variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// E.g. `--otlp-endpoint` or `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub name: String,
    /// The value as given.
    pub value: String,
    /// Its source.
    pub(super) source: Source,
}

/// Where a setting came from, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The command line.
    Flag,
    /// `OTEL_EXPORTER_OTLP_TRACES_*`
    Signal,
    /// `OTEL_EXPORTER_OTLP_*`, or any other variable.
    Generic,
}

/// The environment.
pub(super) struct Settings<E> {
    env: E,
}

impl<E: Fn(&str) -> Option<String>> Settings<E> {
    pub(super) const fn new(env: E) -> Self {
        Self { env }
    }

    /// A variable by its full name; an empty one counts as unset.
    pub(super) fn variable(&self, name: &str) -> Option<Setting> {
        self.read(name.to_owned(), Source::Generic)
    }

    /// An exporter variable by the last part of its name: the signal's, else the generic one.
    pub(super) fn otlp(&self, last: &str) -> Option<Setting> {
        self.read(format!("OTEL_EXPORTER_OTLP_TRACES_{last}"), Source::Signal)
            .or_else(|| self.read(format!("OTEL_EXPORTER_OTLP_{last}"), Source::Generic))
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

    fn read(&self, name: String, source: Source) -> Option<Setting> {
        let value = (self.env)(&name)?.trim().to_owned();
        (!value.is_empty()).then_some(Setting { name, value, source })
    }
}
