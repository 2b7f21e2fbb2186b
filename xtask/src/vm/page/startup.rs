//! What the agent prints about what it lacks.

use crate::vm::situation;
use crate::vm::transcript::Run;

/// A list for each situation in which it prints anything. A line that not every kernel gets begins with
/// those that do.
pub(super) fn draw(kernels: Vec<(&str, &[&Run])>) -> String {
    let mut text = String::new();
    for situation in situation::BOOTS.iter().flat_map(|boot| boot.situations) {
        let mut lines: Vec<(&str, Vec<&str>)> = Vec::new();
        let mut ran = 0;
        for (series, runs) in &kernels {
            let Some(run) = runs.iter().find(|run| run.name == situation.name) else { continue };
            ran += 1;
            for line in run.err.iter().map(String::as_str).filter(|line| is_about_the_kernel(line))
            {
                match lines.iter_mut().find(|(known, _)| *known == line) {
                    Some((_, series_of)) if series_of.contains(series) => {}
                    Some((_, series_of)) => series_of.push(series),
                    None => lines.push((line, vec![series])),
                }
            }
        }
        if lines.is_empty() {
            continue;
        }
        text.push_str(&format!("\n{}:\n\n```text\n", capitalised(situation.title)));
        for (line, series) in lines {
            if series.len() < ran {
                text.push_str(&format!("[{}] ", series.join(", ")));
            }
            text.push_str(&format!("{line}\n"));
        }
        text.push_str("```\n");
    }
    text
}

/// The demo also reports which scenarios it ran again; that depends on the machine's speed.
fn is_about_the_kernel(line: &str) -> bool {
    !(line.contains(": run ") && line.contains(" times, because "))
}

fn capitalised(title: &str) -> String {
    let mut characters = title.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}
