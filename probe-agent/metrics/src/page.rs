//! Writes samples in one of the two formats.

use std::fmt::Write as _;

use crate::{
    exemplar::Exemplar,
    family::{Family, Kind},
    format::Format,
};

/// The value of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value {
    Count(u64),
    /// Nanoseconds, written as seconds without rounding.
    Nanos(u64),
    Float(f64),
}

/// A text that samples are added to.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    format: Format,
    family: Option<&'static Family>,
    is_headed: bool,
}

impl Page {
    pub(crate) fn new(format: Format, capacity: usize) -> Self {
        Self { text: String::with_capacity(capacity), format, family: None, is_headed: false }
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// The samples from here on belong to this family. `is_headed`: its header has been written already.
    pub(crate) fn family(&mut self, family: &'static Family, is_headed: bool) {
        (self.family, self.is_headed) = (Some(family), is_headed);
    }

    /// Whether the header of the current family has been written: it comes with the first sample.
    pub(crate) const fn is_headed(&self) -> bool {
        self.is_headed
    }

    /// One line. `labels` are escaped already, `more` are not.
    pub(crate) fn sample(
        &mut self,
        suffix: &str,
        labels: &str,
        more: &[(&str, &str)],
        value: Value,
        exemplar: Option<Exemplar>,
    ) {
        let Some(family) = self.family else { return };
        if !self.is_headed {
            self.header(family);
        }
        let text = &mut self.text;
        text.push_str(family.name);
        text.push_str(suffix);
        if !labels.is_empty() || !more.is_empty() {
            text.push('{');
            text.push_str(labels);
            for (at, (name, value)) in more.iter().enumerate() {
                if at > 0 || !labels.is_empty() {
                    text.push(',');
                }
                text.push_str(name);
                text.push_str("=\"");
                escape_into(text, value);
                text.push('"');
            }
            text.push('}');
        }
        text.push(' ');
        push_value(text, value);
        if let Some(exemplar) = exemplar.filter(|_| self.format == Format::OpenMetrics) {
            push_exemplar(text, exemplar);
        }
        text.push('\n');
    }

    /// The last line, where the format has one.
    pub(crate) fn end(&mut self) {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
    }

    fn header(&mut self, Family { name, kind, help, .. }: &Family) {
        self.is_headed = true;
        // In OpenMetrics the name of a counter is that without its suffix.
        let name = match (self.format, kind) {
            (Format::OpenMetrics, Kind::Counter) => name.strip_suffix("_total").unwrap_or(name),
            _ => *name,
        };
        let kind = kind.name();
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        if self.format == Format::OpenMetrics && name.ends_with("_seconds") {
            let _ = writeln!(self.text, "# UNIT {name} seconds");
        }
    }
}

/// Adds a label's value; both formats escape the same three characters.
pub(crate) fn escape_into(text: &mut String, value: &str) {
    if !value.contains(['\\', '"', '\n']) {
        text.push_str(value);
        return;
    }
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
}

fn push_value(text: &mut String, value: Value) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Count(count) => write!(text, "{count}"),
        Value::Nanos(ns) => write!(text, "{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000),
        Value::Float(f64::INFINITY) => write!(text, "+Inf"),
        Value::Float(f64::NEG_INFINITY) => write!(text, "-Inf"),
        Value::Float(value) => write!(text, "{value}"),
    };
}

fn push_exemplar(text: &mut String, Exemplar { trace, handshake }: Exemplar) {
    text.push_str(" # {trace_id=\"");
    for byte in trace.id {
        let _ = write!(text, "{byte:02x}");
    }
    text.push_str("\"} ");
    push_value(text, handshake.map_or(Value::Count(1), Value::Nanos));
    let _ = write!(text, " {}.{:03}", trace.at.as_secs(), trace.at.subsec_millis());
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Page, Value};
    use crate::{
        exemplar::{Exemplar, Trace},
        family::{Family, counter, gauge},
        format::Format,
    };

    const A: Family = gauge("a_seconds", &[], "", "None of it.");
    const B: Family = counter("b_total", &[], "", "Counts b.");
    const C: Family = gauge("c_seconds", &[], "", "Is c.");

    fn page(format: Format) -> String {
        let mut page = Page::new(format, 0);
        page.family(&A, false);
        page.family(&B, false);
        let trace = Trace { id: [0xab; 16], at: Duration::from_millis(1_700_000_000_250) };
        let exemplar = |handshake| Some(Exemplar { trace, handshake });
        page.sample("", "", &[], Value::Count(7), None);
        page.sample("", "x=\"1\"", &[("y", "a\"b")], Value::Nanos(1_000_000_070), exemplar(None));
        page.family(&C, false);
        page.sample("", "", &[("z", "")], Value::Float(0.25), exemplar(Some(70_000)));
        page.sample("", "", &[], Value::Float(f64::INFINITY), None);
        page.end();
        page.into_text()
    }

    #[test]
    fn the_text_format_has_neither_exemplars_nor_an_end() {
        assert_eq!(
            page(Format::Text),
            "# HELP b_total Counts b.\n# TYPE b_total counter\nb_total 7\n\
             b_total{x=\"1\",y=\"a\\\"b\"} 1.000000070\n\
             # HELP c_seconds Is c.\n# TYPE c_seconds gauge\nc_seconds{z=\"\"} 0.25\nc_seconds +Inf\n"
        );
    }

    #[test]
    fn openmetrics_has_exemplars_units_and_an_end() {
        let id = "abababababababababababababababab";
        assert_eq!(
            page(Format::OpenMetrics),
            format!(
                "# HELP b Counts b.\n# TYPE b counter\nb_total 7\n\
                 b_total{{x=\"1\",y=\"a\\\"b\"}} 1.000000070 # {{trace_id=\"{id}\"}} 1 1700000000.250\n\
                 # HELP c_seconds Is c.\n# TYPE c_seconds gauge\n# UNIT c_seconds seconds\n\
                 c_seconds{{z=\"\"}} 0.25 # {{trace_id=\"{id}\"}} 0.000070000 1700000000.250\n\
                 c_seconds +Inf\n# EOF\n"
            )
        );
    }
}
