//! Numbers formatted for people.

use std::fmt;

/// The time between two events, in nanoseconds, as a sentence gives it: `70 us`, `8.12 ms`, `1.003 s`.
///
/// Seconds have three decimals, because a retransmit is recognised by its milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed(pub u64);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ns @ 0..1_000 => write!(f, "{ns} ns"),
            ns @ 1_000..1_000_000 => write!(f, "{} us", rounded(ns, 1_000)),
            ns @ 1_000_000..10_000_000 => {
                let hundredths = rounded(ns, 10_000);
                write!(f, "{}.{:02} ms", hundredths / 100, hundredths % 100)
            }
            ns @ 10_000_000..1_000_000_000 => write!(f, "{} ms", rounded(ns, 1_000_000)),
            ns => {
                let thousandths = rounded(ns, 1_000_000);
                write!(f, "{}.{:03} s", thousandths / 1_000, thousandths % 1_000)
            }
        }
    }
}

/// `ns` in units of `unit`, an even number, to the nearest; a tie goes to the even one. In whole numbers:
/// the formatting of a float is several times as slow, and every line of JSON has four of these times.
const fn rounded(ns: u64, unit: u64) -> u64 {
    let (whole, rest) = (ns / unit, ns % unit);
    let up = rest > unit / 2 || (rest == unit / 2 && whole % 2 == 1);
    whole + up as u64
}

/// A time in nanoseconds, as a table gives it, with three significant digits: `842 ns`, `71.2 us`,
/// `1.02 ms`, `2.00 s`, `12.5 min`.
#[must_use]
pub fn nanoseconds(ns: u64) -> String {
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..999_500 => format!("{} us", three_digits(ns as f64 / 1e3)),
        999_500..999_500_000 => format!("{} ms", three_digits(ns as f64 / 1e6)),
        999_500_000..120_000_000_000 => format!("{} s", three_digits(ns as f64 / 1e9)),
        _ => format!("{} min", three_digits(ns as f64 / 60e9)),
    }
}

/// A time in seconds, as [`nanoseconds`] prints it.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    // The cast saturates: out-of-range values are clamped and NaN becomes 0.
    nanoseconds((seconds * 1e9).round() as u64)
}

fn three_digits(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// A count with thousands separators: `152,000`.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 probe`, `152,000 probes`.
#[must_use]
pub fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// A percentage. It is 100 % or 0 % only if that is exact.
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    if part == whole {
        return "100 %".to_owned();
    }
    if part == 0 || whole == 0 {
        return "0 %".to_owned();
    }
    let percent = part as f64 / whole as f64 * 100.0;
    match percent {
        p if p > 99.99 => ">99.99 %".to_owned(),
        p if p < 0.01 => "<0.01 %".to_owned(),
        p if !(0.1..=99.9).contains(&p) => format!("{p:.2} %"),
        p => format!("{p:.1} %"),
    }
}

/// A rate per second: `0.5/s`, `198/s`, `152,000/s`.
#[must_use]
pub fn rate(per_second: f64) -> String {
    if per_second < 99.95 {
        format!("{per_second:.1}/s")
    } else {
        format!("{}/s", count(per_second.round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::{Elapsed, count, counted, nanoseconds, rate, seconds, share};

    #[test]
    fn the_unit_fits_the_size() {
        let texts: Vec<String> = [0, 999, 70_400, 8_123_456, 203_000_000, 1_003_106_000]
            .map(|n| Elapsed(n).to_string())
            .into();
        assert_eq!(texts, ["0 ns", "999 ns", "70 us", "8.12 ms", "203 ms", "1.003 s"]);
        // Rounded to the nearest, also at the upper end of a unit.
        for (ns, text) in [
            (70_499, "70 us"),
            (70_500, "70 us"),
            (71_500, "72 us"),
            (999_999, "1000 us"),
            (1_004_999, "1.00 ms"),
            (1_005_001, "1.01 ms"),
            (9_999_999, "10.00 ms"),
            (10_500_001, "11 ms"),
            (999_999_999, "1000 ms"),
            (1_000_499_999, "1.000 s"),
            (63_000_500_001, "63.001 s"),
        ] {
            assert_eq!(Elapsed(ns).to_string(), text, "{ns}");
        }
    }

    #[test]
    fn times() {
        for (ns, text) in [
            (0, "0 ns"),
            (842, "842 ns"),
            (1_000, "1.00 us"),
            (71_234, "71.2 us"),
            (999_499, "999 us"),
            (999_500, "1.00 ms"),
            (1_019_000, "1.02 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1.00 s"),
            (2_000_000_000, "2.00 s"),
            (119_000_000_000, "119 s"),
            (750_000_000_000, "12.5 min"),
        ] {
            assert_eq!(nanoseconds(ns), text, "{ns}");
        }
        assert_eq!(seconds(0.000_071_2), "71.2 us");
        assert_eq!(seconds(-1.0), "0 ns");
    }

    #[test]
    fn counts_and_shares() {
        for (value, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(value), text);
        }
        assert_eq!(
            (counted(1, "probe"), counted(0, "probe")),
            ("1 probe".into(), "0 probes".into())
        );
        for (part, whole, text) in [
            (7, 7, "100 %"),
            (0, 7, "0 %"),
            (999_999, 1_000_000, ">99.99 %"),
            (1, 1_000_000, "<0.01 %"),
            (9_995, 10_000, "99.95 %"),
            (1, 3, "33.3 %"),
        ] {
            assert_eq!(share(part, whole), text);
        }
        assert_eq!(rate(0.52), "0.5/s");
        assert_eq!(rate(152_000.4), "152,000/s");
    }
}
