//! For each verdict except `clean`: its count, and one probe as an example.

use arrayvec::ArrayVec;

use crate::{
    ladder::paragraph,
    style::{Look, Tone, verdict_tone},
    summary::Summary,
    wrap::wrap,
};
use explain::ExplainedProbe;
use model::{expect::Expect, finding::Finding, human, record::ProbeId, verdict::Verdict};

/// One example in full, and two more to look up in the spans.
const SAMPLES: usize = 3;

#[derive(Clone, Debug)]
struct Sample {
    probe: ProbeId,
    target: String,
    finding: Finding,
}

/// A few probes of each unusual verdict.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    expect: Expect,
    by_verdict: [ArrayVec<Sample, SAMPLES>; Verdict::ALL.len()],
}

impl Samples {
    pub(super) fn new(expect: Expect) -> Self {
        Self { expect, ..Self::default() }
    }

    fn has_room(&self, verdict: Verdict) -> bool {
        let usual = verdict == Verdict::Clean || verdict == self.expect.verdict();
        !usual && !self.by_verdict[verdict as usize].is_full()
    }

    pub(super) fn probe(&mut self, probe: &ExplainedProbe, target: &str) {
        for finding in &probe.findings {
            if self.has_room(finding.verdict) {
                self.by_verdict[finding.verdict as usize].push(Sample {
                    probe: probe.timeline.probe.id,
                    target: target.to_owned(),
                    finding: finding.clone(),
                });
            }
        }
    }

    pub(super) fn write(&self, page: &mut String, summary: &Summary, look: Look) {
        let mut given: Vec<(&str, Verdict)> = Vec::new();
        for (verdict, samples) in Verdict::ALL.into_iter().zip(&self.by_verdict) {
            if let [first, others @ ..] = samples.as_slice() {
                page.push('\n');
                heading(page, verdict, summary.verdict(verdict), look);
                paragraph(page, "For example", &example(first, others), Tone::Plain, look);
                paragraph(page, "What happened", &first.finding.sentence, Tone::Plain, look);
                let Some(advice) = first.finding.advice.as_deref() else { continue };
                if let Some((_, earlier)) = given.iter().find(|(same, _)| *same == advice) {
                    let text = format!("As for \"{}\" above.", earlier.title());
                    paragraph(page, "What to do", &text, Tone::Plain, look);
                } else {
                    given.push((advice, verdict));
                    paragraph(page, "What to do", advice, Tone::Plain, look);
                }
            }
        }
    }
}

/// `RST lost, recovered by SYN-ACK retransmit: 3 probes      rst_lost_synack_retransmit`
fn heading(page: &mut String, verdict: Verdict, count: u64, look: Look) {
    let title = verdict.title();
    let count = human::counted(count, "probe");
    let used = title.len() + 2 + count.len();
    if used > look.width {
        for line in wrap(&format!("{title}: {count}"), look.width) {
            page.push_str(&look.paint(verdict_tone(verdict), &line));
            page.push('\n');
        }
        return;
    }
    page.push_str(&look.paint(verdict_tone(verdict), title));
    page.push_str(&format!(": {count}"));
    let gap = look.width.saturating_sub(used + verdict.name().len());
    // If the stable name does not fit here, the totals still have it.
    if gap >= 2 {
        page.push_str(&" ".repeat(gap));
        page.push_str(&look.paint(Tone::Faint, verdict.name()));
    }
    page.push('\n');
}

/// `probe 3.12 of db.example:9000 (confirmed); also 5.2, 6.9 of cache.example:6379`. A probe that got no
/// slot has no number: its target stands for it.
fn example(first: &Sample, others: &[Sample]) -> String {
    let mut text = if first.probe.has_slot() {
        format!("probe {} of {}", first.probe, first.target)
    } else {
        first.target.clone()
    };
    text.push_str(&format!(" ({})", first.finding.proof.name()));
    let others = others.iter().filter_map(|other| {
        let elsewhere = other.target != first.target;
        match (other.probe.has_slot(), elsewhere) {
            (true, true) => Some(format!("{} of {}", other.probe, other.target)),
            (true, false) => Some(other.probe.to_string()),
            (false, true) => Some(other.target.clone()),
            (false, false) => None,
        }
    });
    for (index, other) in others.enumerate() {
        text.push_str(if index == 0 { "; also " } else { ", " });
        text.push_str(&other);
    }
    text
}
