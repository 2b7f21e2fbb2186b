//! The server's application gets no connection, however late the agent closes a probe.

use std::time::Duration;

use lab::Family;
use model::verdict::Verdict;
use probe_agent_tests::{overload::Overload, privileged};
use report::summary::Summary;

const PROBES: u64 = 3_000;

/// Probes on overloaded processors. Returns the summary and the number of accepted connections.
fn overload(family: Family, ack_guard: bool, loss_percent: u8) -> (Summary, u64) {
    let overload = Overload {
        family,
        probes: PROBES,
        in_flight: 1_500,
        settle: Duration::from_secs(2),
        busy: 4,
        ack_guard,
        loss_percent,
    };
    let outcome = overload.run().unwrap();
    assert_eq!(outcome.summary.probes, PROBES);
    (outcome.summary, outcome.accepted)
}

#[test]
fn nothing_is_accepted_on_overloaded_processors() {
    privileged!();
    let _turn = crate::turn();
    for (family, loss_percent) in [(Family::V4, 0), (Family::V4, 20), (Family::V6, 20)] {
        let (summary, accepted) = overload(family, true, loss_percent);
        assert_eq!((accepted, summary.half_open), (0, "enforced"), "{summary:?}");
        assert_eq!(summary.verdict(Verdict::AckLeaked), 0, "{summary:?}");
        assert!(loss_percent == 0 || summary.acks_held > 0, "nothing was held: {summary:?}");
    }
}

/// The control: without the guard the same server accepts connections, so 0 is significant.
#[test]
fn without_the_guard_connections_are_accepted() {
    privileged!();
    let _turn = crate::turn();
    for family in Family::ALL {
        let (summary, accepted) = overload(family, false, 20);
        assert!(accepted > 0, "{summary:?}");
        assert_eq!(summary.half_open, "not_enforced", "{summary:?}");
        // An ACK that arrives after the RST has left as well, but completes no handshake.
        assert!(
            summary.verdict(Verdict::AckLeaked) >= accepted,
            "{accepted} accepted: {summary:?}"
        );
    }
}
