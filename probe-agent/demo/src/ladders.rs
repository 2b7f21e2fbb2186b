//! One scenario as text: what was injected, a ladder diagram of each probe, and whether the verdicts match.

use super::{compare, describe, result::ScenarioResult, scenario::HostFault};
use kernel::clock::Clock;
use model::expect::Expect;
use model::human;
use report::{
    ladder::{self, paragraph},
    style::{Look, Tone},
};

/// The whole text. Every line ends with `\n`.
pub(super) fn draw(result: &ScenarioResult, clock: Clock, look: Look) -> String {
    let scenario = result.scenario;
    let name = format!("{} over {}", scenario.name, describe::family(result.family));
    let rule = "=".repeat(look.width.saturating_sub(name.len() + 5));
    let mut text = look.paint(Tone::Strong, &format!("=== {name} {rule}")).into_owned();
    text.push_str("\n\n");
    paragraph(&mut text, "Scenario", scenario.title, Tone::Plain, look);
    injected(&mut text, result, look);
    for probe in &result.probes {
        text.push('\n');
        text.push_str(&ladder::draw(probe, &result.target.name, Expect::Open, clock, look));
    }
    text.push('\n');
    paragraph(&mut text, "Server", &server(result), Tone::Plain, look);
    verdict(&mut text, result, look);
    text.push('\n');
    text
}

fn injected(out: &mut String, result: &ScenarioResult, look: Look) {
    let here = match result.scenario.host_fault {
        HostFault::None => None,
        HostFault::PortTaken => Some("another socket of this host holds the source port"),
        HostFault::ForeignSource => Some("the source address asked for is another host's"),
    };
    let mut label = "Injected";
    let faults = result.scenario.injected.iter().zip(&result.hits);
    for text in faults.map(|(i, h)| describe::injected(i, *h)).chain(here.map(str::to_owned)) {
        paragraph(out, label, &text, Tone::Plain, look);
        label = "";
    }
    if !label.is_empty() {
        paragraph(out, label, "nothing", Tone::Plain, look);
    }
}

/// What the server counted, independently of the agent.
fn server(result: &ScenarioResult) -> String {
    let half_open = |n: u64| human::counted(n, "half-open connection");
    format!(
        "its application was given {}; its kernel saw {} reset and has {} left",
        human::counted(result.accepted as u64, "connection"),
        half_open(result.server_counts.resets.unsigned_abs()),
        result.server_counts.half_open
    )
}

fn verdict(out: &mut String, result: &ScenarioResult, look: Look) {
    if !result.mismatches.is_empty() {
        out.push_str(&look.paint(Tone::Bad, "  NOT AS INJECTED"));
        out.push('\n');
        for mismatch in &result.mismatches {
            paragraph(out, "", mismatch, Tone::Bad, look);
        }
    }
    for limit in &result.limits {
        paragraph(out, "limit", limit, Tone::Odd, look);
    }
    if result.mismatches.is_empty() && result.limits.is_empty() {
        let words =
            |probe| format!("{}, {}", compare::verdicts(probe), compare::proof(probe).name());
        let verdicts: Vec<_> = result.probes.iter().map(words).collect();
        let text = format!("as injected: {}", verdicts.join("; then "));
        paragraph(out, "ok", &text, Tone::Good, look);
    }
}
