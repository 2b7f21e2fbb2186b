//! What a host cannot show of a probe, because its kernel or a privilege lacks something.
//!
//! Only saying less is a limit: an expected verdict that is missing, a weaker proof, or `clean` that is not
//! confirmed. Anything else that was not injected is wrong on every kernel.

use explain::ExplainedProbe;
use kernel::capability::{NETNS_COOKIE, RECURSION_MISSES, RST_ACCOUNTING};
use model::{
    capability::Capabilities,
    verdict::{Proof, Verdict},
};

use crate::{result::ScenarioResult, scenario::Expected};

/// What cannot be seen of a probe, and why, in one line; `None` where nothing excuses the difference.
pub(super) fn of_probe(
    result: &ScenarioResult,
    expected: &Expected,
    probe: &ExplainedProbe,
) -> Option<String> {
    if probe.timeline.outcome() != expected.outcome {
        return None;
    }
    if !result.is_injected() {
        return Some(
            "not injected: the second SYN left too late for the server to reset it".to_owned(),
        );
    }
    let found: Vec<_> = probe.findings.iter().map(|f| (f.verdict, f.proof)).collect();
    let what = less(expected.verdicts, expected.proof, &found)?;
    let why = reason(&result.capabilities)?;
    Some(format!("{what} ({why})"))
}

/// What was reported less of than expected; `None` where something else was reported, or all of it.
fn less(expected: &[Verdict], proof: Proof, found: &[(Verdict, Proof)]) -> Option<String> {
    if found.iter().any(|claim| is_false(expected, proof, *claim)) {
        return None;
    }
    let of = |verdict: &Verdict| found.iter().find(|(found, _)| found == verdict);
    let unseen: Vec<_> = expected.iter().filter(|v| of(v).is_none()).map(|v| v.name()).collect();
    let weaker = expected.iter().filter_map(of).filter(|(_, found)| *found > proof);
    let weaker =
        weaker.map(|(verdict, found)| format!("only {} here: {}", found.name(), verdict.name()));
    let unseen = (!unseen.is_empty())
        .then(|| format!("not visible on this kernel: {}", unseen.join(" and ")));
    let parts: Vec<String> = unseen.into_iter().chain(weaker).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether something else was reported than what was expected, or less of it.
pub(super) fn is_false(
    expected: &[Verdict],
    proof: Proof,
    (verdict, found): (Verdict, Proof),
) -> bool {
    match expected.contains(&verdict) {
        // A proof that the kernel events cannot give is a claim like any other.
        true => found < proof,
        false => verdict != Verdict::Clean || found == Proof::Confirmed,
    }
}

/// The first capability that is missing and that a verdict can rest on.
fn reason(capabilities: &Capabilities) -> Option<String> {
    // These compare counts, or tell other programs' connections apart: no verdict needs them.
    let others = [NETNS_COOKIE.name, RECURSION_MISSES.name, RST_ACCOUNTING.name];
    let missing = capabilities.missing().find(|capability| !others.contains(&capability.name))?;
    Some(format!("{}: {}", missing.name, missing.state.reason().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use model::{
        capability::{Capabilities, Capability, State},
        verdict::{
            Proof::{Confirmed, Inferred, Unknown},
            Verdict as V,
        },
    };

    use super::{less, reason};

    #[test]
    fn only_saying_less_is_a_limit() {
        let less = |expected: &[V], found: &[_]| less(expected, Confirmed, found);
        let lost = [V::RstLostSynackRetransmit];
        let both = [V::LateSynack, V::TimedOut];
        for (expected, found, limit) in [
            (
                &lost[..],
                &[(V::Clean, Inferred)][..],
                Some("not visible on this kernel: rst_lost_synack_retransmit"),
            ),
            (
                &lost,
                &[(V::Clean, Unknown)],
                Some("not visible on this kernel: rst_lost_synack_retransmit"),
            ),
            (&lost, &[], Some("not visible on this kernel: rst_lost_synack_retransmit")),
            (&both, &[(V::TimedOut, Confirmed)], Some("not visible on this kernel: late_synack")),
            (
                &both,
                &[(V::LateSynack, Inferred), (V::TimedOut, Unknown)],
                Some("only inferred here: late_synack; only unknown here: timed_out"),
            ),
            // Something else is wrong, whatever is missing.
            (&lost, &[(V::Clean, Confirmed)], None),
            (&lost, &[(V::RstLostUnrecovered, Inferred)], None),
            (&both, &[(V::TimedOut, Confirmed), (V::SynRetransmitted, Inferred)], None),
            // Everything was reported: some other difference.
            (&lost, &[(V::RstLostSynackRetransmit, Confirmed)], None),
        ] {
            assert_eq!(less(expected, found).as_deref(), limit, "{expected:?} {found:?}");
        }
    }

    #[test]
    fn more_proof_than_the_kernel_events_give_is_no_limit() {
        assert_eq!(less(&[V::Refused], Inferred, &[(V::Refused, Confirmed)]), None);
    }

    #[test]
    fn without_a_missing_capability_there_is_no_limit() {
        let capability = |name, state| Capability { name, state, cost: "", remedy: None };
        let missing = || State::Unavailable("no file".to_owned());
        let all = |capabilities: [Capability; 2]| Capabilities::from_iter(capabilities);
        let counts = capability("RST accounting", missing());
        let hook = |state| capability("tcp_send_reset", state);
        assert_eq!(reason(&all([counts.clone(), hook(State::Available)])), None);
        let expected = Some("tcp_send_reset: no other".to_owned());
        let other = State::Unavailable("no other".to_owned());
        assert_eq!(reason(&all([counts, hook(other)])), expected);
    }
}
