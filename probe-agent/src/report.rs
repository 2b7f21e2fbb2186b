//! What a person or a program reads: summary, table, ladder, JSON.

pub mod summary;
