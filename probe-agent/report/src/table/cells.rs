//! The contents of one row, before layout.

use crate::{
    style::{Look, outcome_words, verdict_tone},
    summary::TargetSummary,
    wrap::counted_item,
};
use model::{
    expect::Expect,
    human,
    outcome::Outcome,
    verdict::{Proof, Verdict},
};

/// The cells of one row, not padded.
pub(super) struct Cells {
    /// `None` if nothing was probed.
    pub(super) ok: Option<bool>,
    pub(super) target: String,
    pub(super) address: String,
    pub(super) outcome: String,
    /// One for each of the [`columns`].
    pub(super) figures: Vec<String>,
    /// With one probe per target: its verdicts.
    pub(super) verdicts: Vec<Verdict>,
    /// With several: the unusual verdicts with their counts, each with its length without colours.
    pub(super) unusual: Vec<(usize, String)>,
}

/// What the rows show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One probe per target, with its sentence and its proof below its row.
    Detailed,
    /// One probe per target.
    Single,
    /// Several probes per target.
    Many,
    /// The same, of targets that are to refuse: none of their probes is clean.
    Refusing,
}

impl Kind {
    /// Whether there is one probe per target.
    pub(super) const fn is_single(self) -> bool {
        matches!(self, Self::Detailed | Self::Single)
    }
}

/// A column of figures.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) heading: &'static str,
    pub(super) need: Need,
}

/// Which columns are left out where the line has no room for all. JSON has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// None of these.
    Always,
    /// This one, if it is 100 % for every target.
    Below100,
    /// This one.
    Never,
}

/// The columns of figures.
pub(super) fn columns(kind: Kind) -> &'static [Column] {
    const fn column(heading: &'static str) -> Column {
        Column { heading, need: Need::Always }
    }
    const CONFIRMED: Column = Column { heading: "CONFIRMED", need: Need::Below100 };
    const P50: Column = Column { heading: "P50", need: Need::Never };
    match kind {
        Kind::Detailed => const { &[column("HANDSHAKE")] },
        Kind::Single => const { &[column("HANDSHAKE"), column("PROOF")] },
        Kind::Many => const { &[column("CLEAN"), CONFIRMED, P50, column("P99"), column("MAX")] },
        Kind::Refusing => &[CONFIRMED],
    }
}

impl Cells {
    pub(super) fn new(target: &TargetSummary, kind: Kind, expect: Expect, look: Look) -> Self {
        let counted = || Verdict::ALL.into_iter().filter(|v| target.verdict(*v) > 0);
        let single = kind.is_single();
        Self {
            ok: (target.probes > 0).then_some(target.as_expected),
            target: target.target.clone(),
            address: target.address.clone(),
            outcome: outcome(target, expect),
            figures: figures(target, kind),
            verdicts: if single { counted().collect() } else { Vec::new() },
            unusual: if single {
                Vec::new()
            } else {
                counted()
                    .filter(|verdict| *verdict != expect.verdict())
                    .map(|v| counted_item(target.verdict(v), v.name(), verdict_tone(v), look))
                    .collect()
            },
        }
    }
}

/// One for each of the [`columns`].
fn figures(target: &TargetSummary, kind: Kind) -> Vec<String> {
    let seconds = |time: Option<f64>| time.map_or("-".to_owned(), human::seconds);
    let times = &target.handshake_seconds;
    let proof = || Proof::ALL.into_iter().find(|p| target.proof(*p) > 0).map_or("-", Proof::name);
    let confirmed = || human::share(target.proof(Proof::Confirmed), target.probes);
    match kind {
        Kind::Detailed => vec![seconds(times.max)],
        Kind::Single => vec![seconds(times.max), proof().to_owned()],
        Kind::Many => vec![
            human::share(target.verdict(Verdict::Clean), target.probes),
            confirmed(),
            seconds(times.p50),
            seconds(times.p99),
            seconds(times.max),
        ],
        Kind::Refusing => vec![confirmed()],
    }
}

/// `alive`, `alive 99.8 %`: the share of the expected outcome or, if that never occurred, of the most
/// frequent one.
fn outcome(target: &TargetSummary, expect: Expect) -> String {
    let wanted = expect.outcome();
    let most = Outcome::ALL.into_iter().max_by_key(|outcome| target.outcome(*outcome));
    let shown = most.filter(|_| target.outcome(wanted) == 0).unwrap_or(wanted);
    match target.probes {
        0 => "not probed".to_owned(),
        1 => outcome_words(shown).to_owned(),
        all => format!("{} {}", outcome_words(shown), human::share(target.outcome(shown), all)),
    }
}
