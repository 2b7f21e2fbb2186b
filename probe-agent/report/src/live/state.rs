//! The last outcome of each target.

use model::{outcome::Outcome, target::TargetId, verdict::Verdict};

/// What is known of one target.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    /// The verdict that was shown last, since the outcome changed.
    shown: Option<Verdict>,
    /// Since when its probes have had this outcome, in nanoseconds of `CLOCK_MONOTONIC`.
    since: u64,
}

/// The state of all targets that were probed: 16 bytes for each.
#[derive(Clone, Debug, Default)]
pub(super) struct States {
    states: Vec<State>,
    /// How many targets have each outcome.
    counts: [u64; Outcome::ALL.len()],
}

impl States {
    fn state(&mut self, target: TargetId) -> &mut State {
        let index = target.0 as usize;
        if self.states.len() <= index {
            self.states.resize(index + 1, State::default());
        }
        &mut self.states[index]
    }

    /// Notes the outcome of a target's probe. Returns `None` if it is as before, else what it was before and
    /// since when.
    pub(super) fn note(
        &mut self,
        target: TargetId,
        outcome: Outcome,
        at: u64,
    ) -> Option<Option<(Outcome, u64)>> {
        let state = self.state(target);
        if state.outcome == Some(outcome) {
            return None;
        }
        let before =
            std::mem::replace(state, State { outcome: Some(outcome), shown: None, since: at });
        self.counts[outcome as usize] += 1;
        if let Some(outcome) = before.outcome {
            self.counts[outcome as usize] -= 1;
        }
        Some(before.outcome.map(|outcome| (outcome, before.since)))
    }

    /// Whether an unusual probe of a target is shown: one whose verdict only repeats the one before, of a
    /// target that stays down, is not.
    pub(super) fn shows(&mut self, target: TargetId, verdict: Verdict) -> bool {
        let state = self.state(target);
        let repeats = state.shown.replace(verdict) == Some(verdict);
        !(repeats && state.outcome.is_some_and(|outcome| outcome != Outcome::Alive))
    }

    /// How many targets have been probed.
    pub(super) fn known(&self) -> u64 {
        self.count(|_| true)
    }

    /// How many targets have such an outcome.
    pub(super) fn count(&self, is_such: impl Fn(Outcome) -> bool) -> u64 {
        Outcome::ALL.into_iter().zip(self.counts).filter(|(o, _)| is_such(*o)).map(|(_, n)| n).sum()
    }

    /// The targets that have such an outcome.
    pub(super) fn targets(
        &self,
        is_such: impl Fn(Outcome) -> bool,
    ) -> impl Iterator<Item = (TargetId, Outcome)> {
        let states = (0..).map(TargetId).zip(&self.states);
        states.filter_map(move |(id, state)| {
            Some((id, state.outcome?)).filter(|(_, outcome)| is_such(*outcome))
        })
    }
}
