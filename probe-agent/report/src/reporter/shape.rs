//! What is known about a run before it starts, and which probes its report therefore needs.

use std::{num::NonZeroU64, sync::Arc};

use engine::{early::EarlyFilter, session::ReportFilter};
use model::{expect::Expect, target::Target};

use crate::format::OutputFormat;

/// A run of up to this many probes has all ladders drawn, including those of clean probes.
const FEW_PROBES: u64 = 10;
/// In a longer run, this many unusual probes are drawn: a page or two are enough. In a run without an end, so
/// many in each minute.
pub(super) const MOST_LADDERS: u64 = 20;

/// What is known about a run before it starts.
#[derive(Clone, Debug)]
pub struct RunShape {
    /// The targets, in the order of their ids.
    pub targets: Arc<[Target]>,
    /// Probes per target; `None` if the run lasts until interrupted.
    pub count: Option<NonZeroU64>,
    /// What a healthy target does.
    pub expect: Expect,
    /// Whether JSON lines report each outcome before the settle window of its probe.
    pub early: bool,
}

impl RunShape {
    /// Which probes a report in this format needs.
    #[must_use]
    pub fn filter(&self, output: OutputFormat) -> ReportFilter {
        match output {
            OutputFormat::Json | OutputFormat::Jsonl => ReportFilter::All,
            OutputFormat::Table | OutputFormat::Ladder if self.count.is_none() => {
                ReportFilter::UnusualPerMinute(MOST_LADDERS as u32)
            }
            OutputFormat::Table | OutputFormat::Ladder if self.is_small() => ReportFilter::All,
            OutputFormat::Table | OutputFormat::Ladder => {
                ReportFilter::Unusual(MOST_LADDERS as u32)
            }
        }
    }

    /// Which probes it needs when they end.
    #[must_use]
    pub fn early_filter(&self, output: OutputFormat) -> EarlyFilter {
        match output {
            OutputFormat::Jsonl if self.early => EarlyFilter::All,
            OutputFormat::Table if self.count.is_none() => EarlyFilter::Changes,
            OutputFormat::Table
            | OutputFormat::Ladder
            | OutputFormat::Json
            | OutputFormat::Jsonl => EarlyFilter::None,
        }
    }

    pub(super) fn is_small(&self) -> bool {
        self.count.is_some_and(|count| {
            count.get().saturating_mul(self.targets.len() as u64) <= FEW_PROBES
        })
    }
}
