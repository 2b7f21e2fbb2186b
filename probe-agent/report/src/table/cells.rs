//! The contents of one row, before layout.

use crate::{
    style::{Look, outcome_words, verdict_tone},
    summary::TargetSummary,
    wrap::counted_item,
};
use model::{expect::Expect, human, outcome::Outcome, verdict::Verdict};

/// The cells of one row, not padded.
pub(super) struct Cells {
    /// `None` if nothing was probed.
    pub(super) ok: Option<bool>,
    pub(super) target: String,
    pub(super) address: String,
    pub(super) outcome: String,
    /// One for each of the [`headings`].
    pub(super) figures: Vec<String>,
    /// With one probe per target: its verdicts.
    pub(super) verdicts: Vec<Verdict>,
    /// With several: the unusual verdicts with their counts, each with its length without colours.
    pub(super) unusual: Vec<(usize, String)>,
}

/// The headings of the figures.
pub(super) fn headings(single: bool) -> &'static [&'static str] {
    if single { &["HANDSHAKE"] } else { &["CLEAN", "P50", "P99", "MAX"] }
}

impl Cells {
    pub(super) fn new(target: &TargetSummary, single: bool, expect: Expect, look: Look) -> Self {
        let seconds = |time: Option<f64>| time.map_or("-".to_owned(), human::seconds);
        let times = &target.handshake_seconds;
        let counted = || Verdict::ALL.into_iter().filter(|v| target.verdict(*v) > 0);
        Self {
            ok: (target.probes > 0).then_some(target.as_expected),
            target: target.target.clone(),
            address: target.address.clone(),
            outcome: outcome(target, expect),
            figures: if single {
                vec![seconds(times.max)]
            } else {
                let clean = human::share(target.verdict(Verdict::Clean), target.probes);
                vec![clean, seconds(times.p50), seconds(times.p99), seconds(times.max)]
            },
            verdicts: if single { counted().collect() } else { Vec::new() },
            unusual: if single || target.most_telling() == Some(Verdict::Clean) {
                Vec::new()
            } else {
                counted()
                    .filter(|verdict| *verdict != Verdict::Clean)
                    .map(|v| counted_item(target.verdict(v), v.name(), verdict_tone(v), look))
                    .collect()
            },
        }
    }
}

/// `alive`, `alive 99.8 %`: the share of the expected outcome or, if that never occurred, of the most
/// frequent one.
fn outcome(target: &TargetSummary, expect: Expect) -> String {
    let wanted = match expect {
        Expect::Open => Outcome::Alive,
        Expect::Closed => Outcome::Refused,
    };
    let most = Outcome::ALL.into_iter().max_by_key(|outcome| target.outcome(*outcome));
    let shown = most.filter(|_| target.outcome(wanted) == 0).unwrap_or(wanted);
    match target.probes {
        0 => "not probed".to_owned(),
        1 => outcome_words(shown).to_owned(),
        all => format!("{} {}", outcome_words(shown), human::share(target.outcome(shown), all)),
    }
}
