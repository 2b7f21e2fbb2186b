//! One step of the exchange as one span event.

use opentelemetry_proto::tonic::trace::v1::span::Event;

use super::value;
use kernel::clock::Clock;
use model::step::Step;

/// The event `probe_agent.<step>` at the step's kernel time.
pub(super) fn event(step: &Step, clock: &Clock) -> Event {
    let mut attributes = vec![
        value::text("probe_agent.direction", step.direction.name()),
        value::text("probe_agent.certainty", step.certainty.name()),
    ];
    if !step.hook.is_empty() {
        attributes.push(value::text("probe_agent.hook", step.hook));
    }
    if !step.note.is_empty() {
        attributes.push(value::text("probe_agent.note", &step.note));
    }
    Event {
        time_unix_nano: clock.unix_ns(step.at),
        name: format!("probe_agent.{}", step.kind.name()),
        attributes,
        dropped_attributes_count: 0,
    }
}
