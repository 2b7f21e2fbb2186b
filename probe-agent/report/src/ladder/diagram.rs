//! The diagram: two lifelines, and a line for each step.

use std::net::SocketAddr;

use super::{arrow::arrow, times::Times};
use crate::{
    style::{Look, Tone},
    wrap::wrap,
};
use explain::ExplainedProbe;
use model::{
    flow,
    step::{Certainty, Direction, Step, StepKind},
};

/// A pause this long is drawn as a gap.
const GAP_NS: u64 = 100_000_000;

/// The columns of a line.
struct Columns {
    /// The agent's lifeline.
    left: usize,
    /// The target's lifeline.
    right: usize,
    /// The space between a lifeline, a time and a note.
    space: usize,
}

impl Columns {
    fn new(width: usize) -> Self {
        match width {
            96.. => Self { left: 8, right: 43, space: 3 },
            72..96 => Self { left: 5, right: 32, space: 2 },
            // Just room for the longest label.
            _ => Self { left: 1, right: 26, space: 1 },
        }
    }

    /// A line with only the lifelines.
    fn lifelines(&self, lifeline: char) -> String {
        let inner = self.right - self.left - 1;
        format!("{:left$}{lifeline}{:inner$}{lifeline}", "", "", left = self.left)
    }
}

pub(super) fn draw(page: &mut String, probe: &ExplainedProbe, times: &Times, look: Look) {
    let columns = Columns::new(look.width);
    addresses(page, probe, &columns, look.width);
    let mut before = None;
    for step in &probe.steps {
        if before.is_some_and(|at: u64| step.at.saturating_sub(at) >= GAP_NS) {
            page.push_str(&columns.lifelines(':'));
            page.push('\n');
        }
        before = Some(step.at);
        draw_step(page, step, &columns, times, look);
    }
    legend(page, &probe.steps, look);
    page.push('\n');
}

/// The two addresses above their lifelines; on two lines if they do not fit on one.
fn addresses(page: &mut String, probe: &ExplainedProbe, columns: &Columns, width: usize) {
    let key = &probe.timeline.probe.flow;
    let (local, remote) = (local(flow::local(key)), flow::remote(key).to_string());
    let over = |column: usize, length: usize| column.saturating_sub(length / 2).max(2);
    let local_start = over(columns.left, local.len());
    let local_end = local_start + local.len();
    let wanted = over(columns.right, remote.len()).min(width.saturating_sub(remote.len()));
    let beside = wanted.max(local_end + 3);
    page.push_str(&format!("{:local_start$}{local}", ""));
    if beside <= columns.right && beside + remote.len() <= width {
        page.push_str(&format!("{:gap$}{remote}\n", "", gap = beside - local_end));
    } else {
        let start = wanted.max(columns.left + 3);
        let gap = start - columns.left - 1;
        page.push_str(&format!("\n{:left$}|{:gap$}{remote}\n", "", "", left = columns.left));
    }
}

/// The agent's end. A probe may have failed before this host gave it a port, or even an address.
fn local(address: SocketAddr) -> String {
    match (address.port(), address.ip()) {
        (0, ip) if ip.is_unspecified() => "this host".to_owned(),
        (0, ip) => ip.to_string(),
        _ => address.to_string(),
    }
}

fn draw_step(page: &mut String, step: &Step, columns: &Columns, times: &Times, look: Look) {
    let inner = columns.right - columns.left - 3;
    let drawn = arrow(step.kind.label(), step.direction, step.certainty, inner);
    let start = if step.direction == Direction::Here { '*' } else { '|' };
    let space = columns.space;
    page.push_str(&format!("{:left$}{start} ", "", left = columns.left));
    page.push_str(&look.paint(tone(step), &drawn));
    page.push_str(&format!(" |{:space$}{}", "", times.column(step.at)));
    if look.is_narrow() {
        // Below the arrow: there is no room beside it.
        page.push('\n');
        for note in wrap(&step.note, look.width - columns.left - 2) {
            page.push_str(&format!("{:left$}| {note}\n", "", left = columns.left));
        }
        return;
    }
    let note_start = columns.right + 1 + space + times.width() + space;
    let notes = wrap(&step.note, look.width.saturating_sub(note_start).max(20));
    for (index, note) in notes.iter().enumerate() {
        if index > 0 {
            page.push('\n');
            page.push_str(&columns.lifelines('|'));
            page.push_str(&" ".repeat(space + times.width()));
        }
        page.push_str(&format!("{:space$}{note}", ""));
    }
    page.push('\n');
}

/// Explains the arrows for lost and concluded segments, if there are any.
fn legend(page: &mut String, steps: &[Step], look: Look) {
    let used = |certainty| {
        steps.iter().any(|s| s.certainty == certainty && s.direction != Direction::Here)
    };
    let mut parts = Vec::new();
    if used(Certainty::Lost) {
        parts.push("x  seen leaving, concluded lost");
    }
    if used(Certainty::Concluded) {
        parts.push("- -  concluded, not seen by a hook");
    }
    if parts.is_empty() {
        return;
    }
    page.push('\n');
    for line in parts.chunks(if look.is_narrow() { 1 } else { parts.len() }) {
        page.push_str(&look.paint(Tone::Faint, &format!("  {}", line.join("    "))));
        page.push('\n');
    }
}

fn tone(step: &Step) -> Tone {
    match step.certainty {
        Certainty::Lost => Tone::Bad,
        Certainty::Concluded => Tone::Faint,
        Certainty::Seen => match step.kind {
            StepKind::RecoveryRst => Tone::Good,
            StepKind::RstReceived | StepKind::TimedOut | StepKind::Error => Tone::Bad,
            StepKind::Syn | StepKind::SynAck | StepKind::Rst => Tone::Plain,
            _ => Tone::Odd,
        },
    }
}
