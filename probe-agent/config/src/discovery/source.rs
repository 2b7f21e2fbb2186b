//! Keeps the last good list of a source.

use std::{collections::BTreeMap, fmt, sync::Arc};

use super::list::TargetList;
use crate::problem::Problem;

/// What a source offers: the list of each of its files, or of its URL; or why there is none.
pub type Offered = BTreeMap<String, Result<TargetList, Problem>>;

/// A source: an entry of `file_sd` or `http_sd`.
#[derive(Clone, Debug, Default)]
pub struct SourceState {
    lists: BTreeMap<String, Arc<TargetList>>,
}

/// What was done with an offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the targets have changed.
    pub has_changed: bool,
    /// Why a list was not taken as it was offered; one line each.
    pub kept: Vec<Reason>,
}

/// Why the last good list was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// One file, or the answer, cannot be read or is broken.
    Broken {
        /// What is wrong.
        problem: Problem,
        /// The targets that were kept.
        targets: usize,
    },
    /// All lists of the source are empty or gone.
    Empty {
        /// The targets that were kept.
        targets: usize,
    },
    /// It has more targets than are allowed.
    TooMany {
        /// The targets that were offered.
        offered: usize,
        /// The most that are allowed.
        allowed: usize,
        /// The targets that were kept.
        targets: usize,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken { problem, targets } => {
                write!(f, "{problem}; its last {targets} targets are kept")
            }
            Self::Empty { targets } => write!(
                f,
                "the list is empty now; its last {targets} targets are kept: remove the entry from the \
                 configuration to stop their probes"
            ),
            Self::TooMany { offered, allowed, targets } => write!(
                f,
                "{offered} targets are offered, but only {allowed} fit; its last {targets} targets are kept: \
                 raise agent.limits.targets"
            ),
        }
    }
}

impl SourceState {
    /// The lists in force.
    pub fn lists(&self) -> impl Iterator<Item = &Arc<TargetList>> {
        self.lists.values()
    }

    /// The number of targets in force.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lists.values().map(|list| list.targets.len()).sum()
    }

    /// No target is in force.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Decides about an offer. `allowed` is how many targets the source may have.
    ///
    /// A file that is gone takes its targets with it, unless all are gone: that is rather an accident, such as an
    /// unmounted volume.
    pub fn offer(&mut self, offered: Offered, allowed: usize) -> Decision {
        let mut kept = Vec::new();
        let mut next = BTreeMap::new();
        for (name, list) in offered {
            let last = self.lists.get(&name);
            match list {
                // An equal list keeps its place in memory, and with it everything that is known of it.
                Ok(list) => {
                    let same = last.filter(|last| ***last == list).map(Arc::clone);
                    next.insert(name, same.unwrap_or_else(|| Arc::new(list)));
                }
                Err(problem) => {
                    let targets = last.map_or(0, |last| last.targets.len());
                    kept.push(Reason::Broken { problem, targets });
                    next.extend(last.map(|last| (name, Arc::clone(last))));
                }
            }
        }
        let count: usize = next.values().map(|list| list.targets.len()).sum();
        let targets = self.len();
        let refused = if count == 0 && targets > 0 {
            Some(Reason::Empty { targets })
        } else if count > allowed {
            Some(Reason::TooMany { offered: count, allowed, targets })
        } else {
            None
        };
        let has_changed = refused.is_none() && next != self.lists;
        match refused {
            Some(reason) => kept.push(reason),
            None => self.lists = next,
        }
        Decision { has_changed, kept }
    }
}
