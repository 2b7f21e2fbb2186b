//! One scenario for a person: what was injected, each probe's ladder, and whether that is right.

use super::{compare, describe, play::Played, scenario::Here};
use kernel::clock::Clock;
use model::expect::Expect;
use model::human;
use report::{
    ladder::{self, paragraph},
    style::{Look, Tone},
};

/// The whole page. Every line ends with `\n`.
pub(super) fn draw(played: &Played, clock: Clock, look: Look) -> String {
    let scenario = played.scenario;
    let name = format!("{} over {}", scenario.name, describe::family(played.family));
    let rule = "=".repeat(look.width.saturating_sub(name.len() + 5));
    let mut page = look.paint(Tone::Strong, &format!("=== {name} {rule}")).into_owned();
    page.push_str("\n\n");
    paragraph(&mut page, "Scenario", scenario.title, Tone::Plain, look);
    injected(&mut page, played, look);
    for probe in &played.probes {
        page.push('\n');
        page.push_str(&ladder::draw(probe, &played.target.name, Expect::Open, clock, look));
    }
    page.push('\n');
    paragraph(&mut page, "Server", &server(played), Tone::Plain, look);
    verdict(&mut page, played, look);
    page.push('\n');
    page
}

fn injected(page: &mut String, played: &Played, look: Look) {
    let here = match played.scenario.here {
        Here::AllWell => None,
        Here::PortTaken => Some("another socket of this host holds the source port"),
        Here::ForeignSource => Some("the source address asked for is another host's"),
    };
    let mut label = "Injected";
    let faults = played.scenario.injected.iter().zip(&played.hits);
    for text in faults.map(|(i, h)| describe::injected(i, *h)).chain(here.map(str::to_owned)) {
        paragraph(page, label, &text, Tone::Plain, look);
        label = "";
    }
    if !label.is_empty() {
        paragraph(page, label, "nothing", Tone::Plain, look);
    }
}

/// The server's side, which knows nothing of the agent's.
fn server(played: &Played) -> String {
    let half_open = |n: u64| human::counted(n, "half-open connection");
    format!(
        "its application was given {}; its kernel saw {} reset and has {} left",
        human::counted(played.accepted as u64, "connection"),
        half_open(played.witness.resets.unsigned_abs()),
        played.witness.half_open
    )
}

fn verdict(page: &mut String, played: &Played, look: Look) {
    let complaints = played.complaints();
    if complaints.is_empty() {
        let said = |probe| format!("{}, {}", compare::said(probe), compare::proof(probe).name());
        let said: Vec<_> = played.probes.iter().map(said).collect();
        let text = format!("as injected: {}", said.join("; then "));
        paragraph(page, "ok", &text, Tone::Good, look);
        return;
    }
    page.push_str(&look.paint(Tone::Bad, "  NOT AS INJECTED"));
    page.push('\n');
    for complaint in complaints {
        paragraph(page, "", &complaint, Tone::Bad, look);
    }
}
