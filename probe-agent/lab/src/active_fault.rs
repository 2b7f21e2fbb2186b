//! A fault that is in effect.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::{Fault, LabError, Namespace, Result, ruleset, tool};

/// Tables of one namespace need different names; unique in the process is enough, because no other
/// process knows the namespace.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// An injected fault. It stays in effect until it is cleared, or until the lab is gone.
#[derive(Debug)]
pub struct ActiveFault {
    table: String,
    // The fault must not keep the namespace of a dropped lab alive.
    namespace: Weak<Namespace>,
}

impl ActiveFault {
    pub(super) fn new(namespace: &Arc<Namespace>, fault: &Fault) -> Result<Self> {
        let table = format!("probe_agent_fault_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        tool::nft(namespace, &ruleset::create(&table, fault)?)?;
        Ok(Self { table, namespace: Arc::downgrade(namespace) })
    }

    /// How many segments were hit so far, as nftables counted them.
    ///
    /// # Errors
    /// [`LabError::Gone`] after the lab was dropped, [`LabError::Tool`] or [`LabError::Answer`] if
    /// `nft` fails.
    pub fn hits(&self) -> Result<u64> {
        self.counter(ruleset::HIT)
    }

    /// How many segments matched so far, whether or not they were hit.
    ///
    /// # Errors
    /// As for [`ActiveFault::hits`].
    pub fn seen(&self) -> Result<u64> {
        self.counter(ruleset::SEEN)
    }

    /// Ends the fault and returns how many segments it hit. A segment that is hit between the count and
    /// the end is missing in the number, so stop the traffic before.
    ///
    /// # Errors
    /// As for [`ActiveFault::hits`].
    pub fn clear(self) -> Result<u64> {
        let hit = self.hits()?;
        let namespace = self.namespace.upgrade().ok_or(LabError::Gone)?;
        tool::nft(&namespace, &ruleset::remove(&self.table))?;
        Ok(hit)
    }

    fn counter(&self, name: &str) -> Result<u64> {
        let namespace = self.namespace.upgrade().ok_or(LabError::Gone)?;
        let json =
            tool::ask_nft(&namespace, &["list", "counter", "inet", self.table.as_str(), name])?;
        let answer = |message: String| LabError::Answer {
            operand: format!("counter {name} of table {}", self.table),
            message,
        };
        let json: serde_json::Value =
            serde_json::from_slice(&json).map_err(|error| answer(error.to_string()))?;
        let objects = json.get("nftables").and_then(serde_json::Value::as_array);
        let packets = |object: &serde_json::Value| object.get("counter")?.get("packets")?.as_u64();
        objects
            .into_iter()
            .flatten()
            .find_map(packets)
            .ok_or_else(|| answer("there is no packet count in it".to_owned()))
    }
}
