//! For each verdict except `clean`: its count, and one probe as an example.

use arrayvec::ArrayVec;

use crate::{
    ladder::paragraph,
    style::{Look, Tone, verdict_tone},
    summary::Summary,
};
use explain::ExplainedProbe;
use model::{finding::Finding, human, verdict::Verdict};

/// One example in full, and two more to look up in the spans.
const SAMPLES: usize = 3;

#[derive(Clone, Debug)]
struct Sample {
    probe: String,
    target: String,
    finding: Finding,
}

/// A few probes of each verdict.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    by_verdict: [ArrayVec<Sample, SAMPLES>; Verdict::ALL.len()],
}

impl Samples {
    fn has_room(&self, verdict: Verdict) -> bool {
        verdict != Verdict::Clean && !self.by_verdict[verdict as usize].is_full()
    }

    pub(super) fn probe(&mut self, probe: &ExplainedProbe, target: &str) {
        for finding in &probe.findings {
            if self.has_room(finding.verdict) {
                self.by_verdict[finding.verdict as usize].push(Sample {
                    probe: probe.timeline.probe.id.to_string(),
                    target: target.to_owned(),
                    finding: finding.clone(),
                });
            }
        }
    }

    pub(super) fn write(&self, page: &mut String, summary: &Summary, look: Look) {
        for (verdict, samples) in Verdict::ALL.into_iter().zip(&self.by_verdict) {
            if let [first, others @ ..] = samples.as_slice() {
                page.push('\n');
                heading(page, verdict, summary.verdict(verdict), look);
                paragraph(page, "For example", &example(first, others), Tone::Plain, look);
                paragraph(page, "What happened", &first.finding.sentence, Tone::Plain, look);
                if let Some(advice) = &first.finding.advice {
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
    let used = title.len() + 2 + count.len() + verdict.name().len();
    let gap = look.width.saturating_sub(used);
    page.push_str(&look.paint(verdict_tone(verdict), title));
    page.push_str(&format!(": {count}"));
    // If the stable name does not fit here, the totals still have it.
    if gap >= 2 {
        page.push_str(&" ".repeat(gap));
        page.push_str(&look.paint(Tone::Faint, verdict.name()));
    }
    page.push('\n');
}

fn example(first: &Sample, others: &[Sample]) -> String {
    let proof = first.finding.proof.name();
    let mut text = format!("probe {} of {} ({proof})", first.probe, first.target);
    for (index, other) in others.iter().enumerate() {
        text.push_str(if index == 0 { "; also " } else { ", " });
        text.push_str(&other.probe);
        if other.target != first.target {
            text.push_str(&format!(" of {}", other.target));
        }
    }
    text
}
