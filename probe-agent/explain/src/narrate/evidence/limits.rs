//! What the hooks could not see, as evidence for the verdicts that it concerns.

use crate::timeline::{Coverage, Timeline};
use model::verdict::Verdict;

/// Whether what the hooks could not see would bear on this verdict.
pub(super) const fn limits(coverage: Coverage, verdict: Verdict) -> bool {
    match coverage {
        Coverage::Full => false,
        // What comes after the close: nothing else is reported by a RST without a socket.
        Coverage::SocketsOnly => matches!(
            verdict,
            Verdict::RstLostUnrecovered
                | Verdict::RstLostSynackRetransmit
                | Verdict::LateSynack
                | Verdict::TimedOut
                | Verdict::Clean
        ),
        // The agent's own system call shows the one, and the kernel's count the other.
        Coverage::Incomplete | Coverage::EventsLost | Coverage::None => {
            !matches!(verdict, Verdict::LocalError | Verdict::AckLeaked)
        }
    }
}

/// What the hooks could not see.
pub(super) fn limit(timeline: &Timeline) -> String {
    let text = match (timeline.coverage, timeline.probe.tcp_info) {
        (Coverage::Full, _) => "",
        (Coverage::SocketsOnly, _) => "RSTs that no socket sends are not reported on this host",
        (Coverage::Incomplete, _) => {
            "not all kernel hooks are attached: no event shows what the probe's socket sent"
        }
        (Coverage::EventsLost, _) => {
            "kernel events were lost while this probe was open or followed"
        }
        (Coverage::None, Some(info)) => {
            return format!(
                "no kernel tracing; TCP_INFO counts {} SYN retransmits",
                info.retransmits
            );
        }
        (Coverage::None, None) => "no kernel record of this probe",
    };
    text.to_owned()
}
