//! A fault that is happening.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::{Fault, LabError, Namespace, Result, ruleset, tool};

/// Tables of one namespace need different names; unique in the process is enough, because no other
/// process knows the namespace.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A fault that happens until this value is dropped or cleared.
#[derive(Debug)]
pub struct Injected {
    fault: Fault,
    table: String,
    // The fault must not keep the namespace of a dropped lab alive.
    namespace: Weak<Namespace>,
    happening: bool,
}

impl Injected {
    pub(super) fn new(namespace: &Arc<Namespace>, fault: &Fault) -> Result<Self> {
        let table = format!("probe_agent_fault_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        tool::nft(namespace, &ruleset::create(&table, fault)?)?;
        Ok(Self { fault: *fault, table, namespace: Arc::downgrade(namespace), happening: true })
    }

    /// What is happening.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }

    /// How many segments were hit so far, as nftables counted them.
    ///
    /// # Errors
    /// [`LabError::Gone`] after the lab was dropped, [`LabError::Tool`] or [`LabError::Answer`] if
    /// `nft` cannot tell.
    pub fn dropped(&self) -> Result<u64> {
        self.counter(ruleset::HIT)
    }

    /// How many segments matched so far, whether or not they were hit.
    ///
    /// # Errors
    /// As for [`Injected::dropped`].
    pub fn seen(&self) -> Result<u64> {
        self.counter(ruleset::SEEN)
    }

    /// Ends the fault and returns how many segments it hit. One that is hit between the count and
    /// the end is missing in the number; none is if the traffic has stopped.
    ///
    /// # Errors
    /// As for [`Injected::dropped`].
    pub fn clear(mut self) -> Result<u64> {
        let hit = self.dropped()?;
        self.remove()?;
        Ok(hit)
    }

    fn remove(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.happening) {
            return Ok(());
        }
        match self.namespace.upgrade() {
            Some(namespace) => tool::nft(&namespace, &ruleset::remove(&self.table)),
            // The rules went with the namespace.
            None => Ok(()),
        }
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
        json["nftables"]
            .as_array()
            .into_iter()
            .flatten()
            .find_map(|object| object["counter"]["packets"].as_u64())
            .ok_or_else(|| answer("there is no packet count in it".to_owned()))
    }
}

impl Drop for Injected {
    fn drop(&mut self) {
        // A rule that cannot be removed now goes with the namespace.
        let _ = self.remove();
    }
}
