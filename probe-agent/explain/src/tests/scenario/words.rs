//! The words of a line: times, numbers, names.

use model::{
    event::{Event, EventKind, FlowEvent},
    fixtures,
    outcome::Outcome,
    record::ProbeId,
};

/// When the first SYN leaves, in nanoseconds of `CLOCK_MONOTONIC`.
const EPOCH: u64 = 100_000_000_000;

pub(super) fn event(time: &str, id: Option<&str>, kind: EventKind) -> Result<FlowEvent, String> {
    let socket = id.map(self::id).transpose()?.map(|id| (id.slot, id.generation));
    Ok(FlowEvent { flow: fixtures::tuple(), socket, event: Event { at: at(time)?, kind } })
}

pub(super) fn outcome(word: &str) -> Result<Outcome, String> {
    Outcome::ALL.into_iter().find(|o| o.name() == word).ok_or(format!("outcome {word}?"))
}

pub(super) fn id(word: &str) -> Result<ProbeId, String> {
    let (slot, generation) = word.split_once('.').ok_or(format!("probe {word}?"))?;
    Ok(ProbeId { slot: number(slot)?, generation: number(generation)? })
}

pub(super) fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("number {word}?"))
}

pub(super) fn at(word: &str) -> Result<u64, String> {
    Ok(EPOCH + ns(number(word)?))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of a test case"
)]
pub(super) fn ns(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}
