//! Sources of targets: files and URLs.

use super::Section;
use crate::{echo::without_secrets, schema::Labels};

/// Names a source of targets, also after a reload.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceKey {
    /// The group that its targets belong to.
    pub group: Option<String>,
    /// What kind of source it is.
    pub kind: SourceKind,
}

/// A kind of source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceKind {
    /// Files, by their patterns.
    Files(Vec<String>),
    /// A URL.
    Url(String),
}

impl SourceKey {
    /// The files or the URL, in words.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.kind {
            SourceKind::Files(patterns) => patterns.join(", "),
            SourceKind::Url(url) => without_secrets(url).into_owned(),
        }
    }
}

impl Section<'_> {
    /// The sources of the section, each with the labels of its entry.
    pub fn sources(self) -> Vec<(SourceKey, Labels)> {
        let key = |kind| SourceKey { group: self.group.map(str::to_owned), kind };
        let files = self.file_sd().map(|(_, entry)| {
            let patterns = entry.files.iter().map(|file| file.value.to_string()).collect();
            (key(SourceKind::Files(patterns)), entry.labels.clone())
        });
        let urls = self.http_sd().map(|(_, entry)| {
            (key(SourceKind::Url(entry.url.value.as_str().to_owned())), entry.labels.clone())
        });
        files.chain(urls).collect()
    }
}
