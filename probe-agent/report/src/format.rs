//! The output formats.

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputFormat {
    /// A row per target, and what was unusual
    #[default]
    Table,
    /// Each unusual exchange as a sequence diagram (all of them where there are ten or fewer)
    Ladder,
    /// One document: {"probes": [...], "summary": {...}}
    Json,
    /// One object per probe and line; the last line is {"summary": {...}}
    Jsonl,
}
