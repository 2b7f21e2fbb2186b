//! The page about kernels: tables of what each of them shows.

mod startup;
#[cfg(test)]
mod tests;

use crate::failure::Result;

use super::demo::{self, Probe};
use super::situation::{self, Kind};
use super::transcript::{Run, Transcript};
use super::value::Value;

const HEAD: &str = "\
# Kernels

`cargo xtask vm` writes this page: it boots kernels of Debian in virtual machines, runs the demo in each of them
and counts a verdict only where the injected fault calls for it. `cargo xtask vm --check` compares. Verdicts that
no scenario of the demo calls for are not in the tables.

- **confirmed**: kernel events prove it.
- **inferred**: timing, counters or the order of events suggest it.
- **unknown**: events were lost, or nothing was traced.
- **not seen**: this kernel does not show it, and the agent reports nothing in its place that it cannot know:
  `clean`, for instance, is `inferred` then.

Two of them in one cell: it depends on how the fault comes about.

`lockdown=confidentiality` (Talos has it, for example) forbids programs to read kernel memory by address, and with
it the headers of packets that belong to no socket. What programs read by type stays allowed, so the ACK guard,
state changes, retransmits and the RSTs of sockets are there. `lockdown=integrity` forbids nothing that the agent
does.
";

/// In the place of a verdict that the machine was too slow for.
const NOT_INJECTED: &str = "not injected";

/// A longer line on standard error is not one that anybody reads: a log of the verifier, for example.
const LONGEST: usize = 700;

/// One kernel: its boots, and what the demo saw in each situation.
struct Kernel<'a> {
    series: String,
    runs: Vec<&'a Run>,
    demos: Vec<(&'static str, Vec<Probe>)>,
}

/// The whole page.
pub(super) fn draw(transcripts: &[Transcript]) -> Result<String> {
    let kernels = kernels(transcripts)?;
    let mut page = HEAD.to_owned();
    for kernel in &kernels {
        page.push_str(&format!("\n## {} (Debian)\n\n", kernel.series));
        page.push_str(&verdicts(kernel));
    }
    page.push_str("\n## Privileges\n\n");
    page.push_str("One probe of a server that is up, by root, or by an ordinary user with these capabilities.\n\n");
    page.push_str(&privileges(&kernels));
    page.push_str("\n## What the agent prints\n\n");
    page.push_str(
        "Everything that it prints on standard error in these situations, each in one line.\n",
    );
    page.push_str(&startup::draw(
        kernels.iter().map(|k| (k.series.as_str(), &k.runs[..])).collect(),
    ));
    Ok(page)
}

/// Whether nothing is wrong, and everything was injected.
pub(super) fn is_good(transcript: &Transcript) -> bool {
    let one = std::slice::from_ref(transcript);
    let is_right = wrong(one).is_ok_and(|lines| lines.is_empty());
    let page = draw(one).unwrap_or_default();
    is_right && !page.contains(NOT_INJECTED)
}

/// What is wrong on any kernel, a line for each.
pub(super) fn wrong(transcripts: &[Transcript]) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for transcript in transcripts {
        let mut add = |name: &str, what: &str| {
            lines.push(format!("{}: {name}: {what}", transcript.release));
        };
        transcript.complaints.iter().for_each(|complaint| add("kernel log", complaint));
        for run in &transcript.runs {
            let wrong = match kind(run) {
                Some(Kind::Demo) => demo::wrong(&demo::read(&run.out)?),
                Some(Kind::Check) | None => Vec::new(),
            };
            wrong.iter().for_each(|line| add(&run.name, line));
            for line in run.err.iter().filter(|line| line.chars().count() > LONGEST) {
                add(
                    &run.name,
                    &format!("a message of {} characters: {line:.80}", line.chars().count()),
                );
            }
            if run.code != Some(0) && wrong.is_empty() {
                let last = run.err.last().map_or("it printed nothing", String::as_str);
                add(&run.name, &format!("exit code {:?}: {last}", run.code));
            }
        }
    }
    Ok(lines)
}

/// Which lines of the page have changed.
pub(super) fn difference(old: &str, new: &str) -> Vec<String> {
    let only = |sign, of: &str, other: &str| {
        let there: Vec<&str> = other.lines().collect();
        let lines = of.lines().filter(|line| !there.contains(line));
        lines.map(|line| format!("{sign} {line}")).collect::<Vec<_>>()
    };
    [only('-', old, new), only('+', new, old)].concat()
}

fn kind(run: &Run) -> Option<Kind> {
    situation::find(&run.name).map(|situation| situation.kind)
}

/// The boots of one kernel belong together.
fn kernels(transcripts: &[Transcript]) -> Result<Vec<Kernel<'_>>> {
    let mut kernels: Vec<Kernel<'_>> = Vec::new();
    for transcript in transcripts {
        let series = transcript.series();
        if kernels.last().is_none_or(|last| last.series != series) {
            kernels.push(Kernel { series, runs: Vec::new(), demos: Vec::new() });
        }
        let Some(kernel) = kernels.last_mut() else { continue };
        for run in &transcript.runs {
            kernel.runs.push(run);
            if let Some(situation) = situation::find(&run.name)
                && situation.kind == Kind::Demo
            {
                kernel.demos.push((situation.title, demo::read(&run.out)?));
            }
        }
    }
    Ok(kernels)
}

/// A row for each verdict, a column for each situation.
fn verdicts(kernel: &Kernel<'_>) -> String {
    let titles = kernel.demos.iter().map(|(title, _)| (*title).to_owned());
    let mut table = vec![["verdict".to_owned()].into_iter().chain(titles).collect::<Vec<_>>()];
    for verdict in demo::expected(kernel.demos.iter().flat_map(|(_, probes)| probes)) {
        let cells = kernel.demos.iter().map(|(_, probes)| {
            let seen = demo::seen(probes, verdict);
            let names: Vec<_> = seen.into_iter().map(demo::Seen::name).collect();
            if names.is_empty() { NOT_INJECTED.to_owned() } else { names.join(" or ") }
        });
        table.push([format!("`{verdict}`")].into_iter().chain(cells).collect());
    }
    markdown(&table)
}

/// A row for each set of capabilities, a column for each kernel.
fn privileges(kernels: &[Kernel<'_>]) -> String {
    let series = kernels.iter().map(|kernel| kernel.series.clone());
    let mut table = vec![["capabilities".to_owned()].into_iter().chain(series).collect::<Vec<_>>()];
    let checks = situation::BOOTS.iter().flat_map(|boot| boot.situations);
    for situation in checks.filter(|situation| situation.kind == Kind::Check) {
        let cells = kernels.iter().map(|kernel| {
            let run = kernel.runs.iter().find(|run| run.name == situation.name);
            run.map_or_else(String::new, |run| check(run))
        });
        table.push([situation.title.to_owned()].into_iter().chain(cells).collect());
    }
    markdown(&table)
}

/// `clean confirmed, ACK guard` of what `check --output jsonl` printed.
fn check(run: &Run) -> String {
    let probe = run.out.first().and_then(|line| Value::parse(line));
    let Some(probe) = probe else { return "no result".to_owned() };
    let text = |key: &str| probe.get(key).and_then(Value::text).unwrap_or("?").to_owned();
    let verdicts: Vec<_> = probe
        .get("verdicts")
        .map(Value::list)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::text)
        .collect();
    let guard = match text("half_open").as_str() {
        "enforced" => "ACK guard",
        _ => "no ACK guard",
    };
    format!("{}: `{}` {}; {guard}", text("outcome"), verdicts.join("`, `"), text("proof"))
}

/// A table; its first row is the heading.
fn markdown(table: &[Vec<String>]) -> String {
    let mut text = String::new();
    for (index, row) in table.iter().enumerate() {
        text.push_str(&format!("| {} |\n", row.join(" | ")));
        if index == 0 {
            text.push_str(&format!("|{}\n", " --- |".repeat(row.len())));
        }
    }
    text
}
