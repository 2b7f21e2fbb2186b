//! Which probes are exported as spans: every unusual one, and a share of the clean ones. Decided when a probe is
//! settled, so that its whole story counts.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use explain::Judged;
use model::verdict::Verdict;

/// The share that is exported of clean probes; it may change while workers read it. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Sampling {
    /// The 64 bits of a trace id below which a probe is exported; none at 0.
    below: Arc<AtomicU64>,
}

impl Sampling {
    /// Sets the share, from 0 to 1.
    pub fn set_share(&self, share: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "a share of a u64 is a u64")]
        #[expect(clippy::cast_sign_loss, reason = "a share is not negative")]
        #[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
        let below = (share.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
        self.below.store(below, Ordering::Relaxed);
    }

    /// Whether a clean probe with this trace id is exported. Everyone who knows the share and the id finds the same.
    #[must_use]
    pub fn takes(&self, trace_id: [u8; 16]) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace_id;
        let below = self.below.load(Ordering::Relaxed);
        below == u64::MAX || u64::from_be_bytes([a, b, c, d, e, f, g, h]) < below
    }
}

/// Whether something unusual happened to a probe. An expected refusal is usual.
#[must_use]
pub fn is_unusual(probe: &Judged) -> bool {
    let is_usual =
        |verdict| verdict == Verdict::Clean || verdict == Verdict::Refused && probe.expected;
    !probe.expected || !probe.verdicts.iter().all(|judgement| is_usual(judgement.verdict))
}

#[cfg(test)]
mod tests {
    use super::Sampling;

    #[test]
    fn a_share_of_the_trace_ids_is_taken() {
        let sampling = Sampling::default();
        // Spread evenly.
        let ids: Vec<[u8; 16]> = (0..1_000_u64)
            .map(|n| u128::from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_be_bytes())
            .collect();
        let taken = |share| {
            sampling.set_share(share);
            ids.iter().filter(|id| sampling.takes(**id)).count()
        };
        assert_eq!([0.0, 1.0].map(taken), [0, 1_000]);
        assert!((95..=105).contains(&taken(0.1)) && (495..=505).contains(&taken(0.5)));
        sampling.set_share(1.0);
        assert!(sampling.takes([0xff; 16]));
        sampling.set_share(0.0);
        assert!(!sampling.takes([0; 16]));
    }
}
