//! Calendar times from the kernel's monotonic clock.

use std::fmt::{self, Write};

use kernel::clock::Clock;

/// A kernel time in RFC 3339, UTC, with nanoseconds, e.g. `2026-01-02T03:04:05.678901234Z`.
pub(super) fn rfc3339(clock: Clock, monotonic_ns: u64) -> String {
    let mut text = String::with_capacity(30);
    // A String can always be written to.
    let _ = write_rfc3339(&mut text, clock, monotonic_ns);
    text
}

/// The same without the fraction: `2026-01-02T03:04:05Z`.
pub(super) fn to_the_second(clock: Clock, monotonic_ns: u64) -> String {
    let whole = rfc3339(clock, monotonic_ns);
    whole.split('.').next().map(|time| format!("{time}Z")).unwrap_or_default()
}

/// Writes it with the fraction.
pub(super) fn write_rfc3339(out: &mut impl Write, clock: Clock, monotonic_ns: u64) -> fmt::Result {
    calendar(out, clock.unix_ns(monotonic_ns))
}

fn calendar(out: &mut impl Write, unix_ns: u64) -> fmt::Result {
    let (seconds, nanoseconds) = (unix_ns / 1_000_000_000, unix_ns % 1_000_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    // Digit by digit: the formatting of the standard library takes ten times as long, and every line of
    // JSON has a time.
    let mut text = *b"0000-00-00T00:00:00.000000000Z";
    for (range, value) in [
        (0..4, year),
        (5..7, month),
        (8..10, day),
        (11..13, second / 3_600),
        (14..16, second / 60 % 60),
        (17..19, second % 60),
        (20..29, nanoseconds),
    ] {
        let mut rest = value;
        for digit in text[range].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    // All of it is ASCII.
    out.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

/// Year, month and day of a day since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`). Years start in March, so the leap day is the last of a year.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::{calendar, rfc3339, to_the_second};
    use kernel::clock::Clock;

    #[test]
    fn the_calendar() {
        // As `date -u -d @SECONDS` prints them.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000000Z"),
            (1_000_000_000, "2001-09-09T01:46:40.000000000Z"),
            (4_107_542_399, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
        ] {
            let mut seen = String::new();
            calendar(&mut seen, seconds * 1_000_000_000).unwrap();
            assert_eq!(seen, text);
        }
        let clock = Clock { realtime_minus_monotonic_ns: 1_767_323_045_000_000_000 };
        assert_eq!(rfc3339(clock, 678_901_234), "2026-01-02T03:04:05.678901234Z");
        assert_eq!(to_the_second(clock, 678_901_234), "2026-01-02T03:04:05Z");
    }
}
