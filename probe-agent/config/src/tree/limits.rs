//! How much a file may hold. What is beyond is no configuration, but an accident or an attack.

/// The deepest nesting. The schema needs five levels.
pub(super) const DEEPEST: usize = 32;

/// The most values, with the copies that aliases make: a target with labels has about ten, and a value takes
/// about 100 bytes.
pub(super) const MOST_VALUES: usize = 2_000_000;

/// What is said of a deeper nesting.
pub(super) const TOO_DEEP: &str = "nested too deeply; 32 levels are allowed";

/// What is said of more values.
pub(super) const TOO_MANY: &str =
    "more than 2000000 values, with the copies that aliases make; move targets into file_sd lists";

/// The longest value or key, in bytes.
pub(super) const LONGEST: usize = 64 << 10;

/// The longest line of YAML and TOML, in bytes. JSON is often written in one line.
pub(super) const LONGEST_LINE: usize = 16 << 20;

/// What is said of a longer value.
pub(super) const TOO_LONG: &str = "a value longer than 64 KiB; is this the right file?";
