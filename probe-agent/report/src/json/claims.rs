//! The claims of a finding, as JSON.

use model::claim::{Assumption, Claim};
use serde::{Serialize, Serializer};

/// One claim, by its stable names. Its numbers are in the sentence.
#[derive(Clone, Debug, Serialize)]
struct ClaimObject {
    party: &'static str,
    act: &'static str,
    basis: &'static str,
    /// What must be so for a conclusion to hold.
    given: Option<&'static str>,
}

/// All claims of a finding.
pub(super) fn claims<S: Serializer>(claims: &&[Claim], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(claims.iter().map(|claim| ClaimObject {
        party: claim.party.name(),
        act: claim.act.name(),
        basis: claim.basis.name(),
        given: claim.basis.assumption().map(Assumption::name),
    }))
}
