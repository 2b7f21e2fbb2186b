//! Trace and span ids, computed rather than stored.
//!
//! An id depends only on the run's random seed and the probe's id, so a span can link to an earlier or
//! later probe without a table of ids.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use model::record::ProbeId;

/// An odd number with evenly spread bits: 2^64 divided by the golden ratio, the increment of SplitMix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The ids of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunIds {
    trace_high: u64,
    trace_low: u64,
    span: u64,
}

impl RunIds {
    /// The ids of a new run, from 24 random bytes.
    ///
    /// # Errors
    /// The kernel gave no random bytes (`getrandom(2)`).
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 24];
        getrandom::fill(&mut seed)?;
        Ok(Self::from_seed(seed))
    }

    /// The ids for a seed.
    #[must_use]
    pub fn from_seed(seed: [u8; 24]) -> Self {
        let word = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&seed[at..at + 8]);
            u64::from_be_bytes(bytes)
        };
        Self { trace_high: word(0), trace_low: word(8), span: word(16) }
    }

    /// The span context of a probe of this run: the root span of its own trace.
    ///
    /// The mixing is a bijection, so two probes of a run have different ids. No id is zero (W3C Trace
    /// Context, section 3.2.2).
    #[must_use]
    pub fn context(&self, probe: ProbeId) -> SpanContext {
        let name = mix((u64::from(probe.slot) << 32) | u64::from(probe.generation));
        let word = |seed: u64| mix_to_nonzero(seed.wrapping_add(name)).to_be_bytes();
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&word(self.trace_high));
        trace_id[8..].copy_from_slice(&word(self.trace_low));
        SpanContext::new(
            TraceId::from_bytes(trace_id),
            SpanId::from_bytes(word(self.span)),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        )
    }
}

/// The output function of SplitMix64: a bijection in which each input bit changes about half of the output
/// bits. It maps 0, and only 0, to 0.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const fn mix_to_nonzero(z: u64) -> u64 {
    mix(if z == 0 { GOLDEN } else { z })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{ProbeId, RunIds, mix};

    #[test]
    fn ids_depend_on_run_and_probe_and_never_collide() {
        let (one, two) = (RunIds::from_seed([1; 24]), RunIds::from_seed([2; 24]));
        let (mut traces, mut spans) = (HashSet::new(), HashSet::new());
        for ids in [one, two] {
            for slot in 0..50 {
                for generation in 1..=200 {
                    let context = ids.context(ProbeId { slot, generation });
                    assert_eq!(context, ids.context(ProbeId { slot, generation }));
                    traces.insert(context.trace_id());
                    spans.insert(context.span_id());
                }
            }
        }
        assert_eq!((traces.len(), spans.len()), (20_000, 20_000));
    }

    #[test]
    fn no_id_is_zero_even_if_seed_and_probe_cancel_out() {
        let probe = ProbeId { slot: 7, generation: 9 };
        let opposite = mix((7 << 32) | 9).wrapping_neg().to_be_bytes();
        let context = RunIds::from_seed([opposite; 3].concat().try_into().unwrap()).context(probe);
        assert!(context.is_valid());
    }

    #[test]
    fn runs_differ() {
        assert_ne!(RunIds::random().unwrap(), RunIds::random().unwrap());
    }
}
