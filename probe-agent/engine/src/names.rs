//! The addresses of targets that were given by name. They may change while a run probes them.
//!
//! Each address of a name is a target of its own. When an answer of the resolver brings a new address, the
//! list of targets grows; an address that is no longer in the answer is not probed any more, and is the
//! same target as before if it comes back. A name without an address is a target without an address: its
//! probes are local errors.

mod answer;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI32, AtomicU32, Ordering},
    },
};

use model::{
    append_list::AppendList,
    target::{Target, TargetId, Targets},
};

/// The most addresses that a name can have had in one run. A name that gets a new address every minute
/// reaches this number after three days.
const MAX_ADDRESSES: usize = 4_096;

/// The owner of a target that was not given by name.
pub(crate) const NO_NAME: u32 = u32::MAX;

/// Why a name has no address: a code of `getaddrinfo()` ([`model::errno`]).
pub type Unresolved = i32;

/// The names among the targets of a run, and the addresses that they have now.
#[derive(Debug)]
pub struct Names {
    targets: Targets,
    /// The name of each target.
    owners: AppendList<u32>,
    names: Box<[Name]>,
    /// Held while a target is added, which takes one entry in each of the two lists.
    adding: Mutex<()>,
}

#[derive(Debug)]
struct Name {
    /// Counts the changes of `current`.
    version: AtomicU32,
    /// Why it has no address, while it has none.
    reason: AtomicI32,
    addresses: Mutex<Addresses>,
}

#[derive(Debug)]
struct Addresses {
    /// The target without an address.
    template: Target,
    /// The targets of all addresses that the name has had; the unspecified address stands for none.
    known: HashMap<IpAddr, TargetId>,
    /// The targets to probe now: at least one.
    current: Arc<[TargetId]>,
}

/// Collects the targets of a run before it starts.
#[derive(Debug, Default)]
pub struct NamesBuilder {
    targets: Vec<Target>,
    owners: Vec<u32>,
    names: Vec<Name>,
}

impl NamesBuilder {
    /// Adds a target with an address of its own.
    pub fn literal(&mut self, target: Target) {
        self.targets.push(target);
        self.owners.push(NO_NAME);
    }

    /// Adds a target that was given by name, with its first answer. Returns the number of the name, and of
    /// targets that it adds.
    pub fn name(
        &mut self,
        target: &Target,
        answer: Result<&[IpAddr], Unresolved>,
    ) -> (usize, usize) {
        let template = target.unresolved();
        let reason = answer.err().unwrap_or_default();
        let mut known = HashMap::new();
        let mut current = Vec::new();
        for target in wanted(&template, answer) {
            if known.contains_key(&target.address.ip()) {
                continue;
            }
            let id = TargetId(u32::try_from(self.targets.len()).unwrap_or(u32::MAX));
            known.insert(target.address.ip(), id);
            current.push(id);
            self.targets.push(target);
            self.owners.push(u32::try_from(self.names.len()).unwrap_or(NO_NAME));
        }
        let added = current.len();
        self.names.push(Name {
            version: AtomicU32::new(0),
            reason: AtomicI32::new(reason),
            addresses: Mutex::new(Addresses { template, known, current: current.into() }),
        });
        (self.names.len() - 1, added)
    }

    /// The names, with the list of all targets.
    #[must_use]
    pub fn build(self) -> Names {
        Names {
            targets: self.targets.into(),
            owners: self.owners.into_iter().collect(),
            names: self.names.into(),
            adding: Mutex::new(()),
        }
    }
}

/// The targets that an answer asks for.
fn wanted(template: &Target, answer: Result<&[IpAddr], Unresolved>) -> Vec<Target> {
    match answer {
        Ok(addresses) if !addresses.is_empty() => {
            addresses.iter().take(MAX_ADDRESSES).map(|ip| template.with_ip(*ip)).collect()
        }
        Ok(_) | Err(_) => vec![template.clone()],
    }
}

impl Names {
    /// All targets of the run, given by name or not.
    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// Whether no target was given by name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The name of a target; `None` if it was not given by name.
    pub(crate) fn of(&self, target: TargetId) -> Option<u32> {
        self.owners.get(target.0 as usize).copied().filter(|name| *name != NO_NAME)
    }

    /// Why a target has no address; `None` if it has one.
    pub(crate) fn unresolved(&self, target: TargetId) -> Option<Unresolved> {
        if self.targets.get(target.0 as usize).is_none_or(Target::is_resolved) {
            return None;
        }
        let name = self.names.get(self.of(target)? as usize)?;
        Some(name.reason.load(Ordering::Relaxed))
    }

    /// Counts the changes of a name's addresses.
    pub(crate) fn version(&self, name: u32) -> u32 {
        self.names.get(name as usize).map_or(0, |name| name.version.load(Ordering::Acquire))
    }

    /// The targets of a name that are probed now.
    pub(crate) fn current(&self, name: u32) -> (u32, Arc<[TargetId]>) {
        let Some(name) = self.names.get(name as usize) else { return (0, Arc::from([])) };
        let addresses = name.lock();
        (name.version.load(Ordering::Relaxed), Arc::clone(&addresses.current))
    }

    /// Takes a new answer for a name. The workers follow it when the next probe of the name is due.
    /// Returns whether the name has other addresses than before.
    pub fn set(&self, name: usize, answer: Result<&[IpAddr], Unresolved>) -> bool {
        let Some(number) = u32::try_from(name).ok().filter(|name| *name != NO_NAME) else {
            return false;
        };
        let Some(name) = self.names.get(name) else { return false };
        if let Err(reason) = answer {
            name.reason.store(reason, Ordering::Relaxed);
        }
        let mut addresses = name.lock();
        let wanted = wanted(&addresses.template, answer);
        let mut current: Vec<TargetId> = Vec::with_capacity(wanted.len());
        for target in wanted {
            let ip = target.address.ip();
            let id = match addresses.known.get(&ip) {
                Some(id) => *id,
                None if addresses.known.len() >= MAX_ADDRESSES => continue,
                None => {
                    let Some(id) = self.add(number, target) else { continue };
                    addresses.known.insert(ip, id);
                    id
                }
            };
            if !current.contains(&id) {
                current.push(id);
            }
        }
        let same = current.len() == addresses.current.len()
            && current.iter().all(|id| addresses.current.contains(id));
        // An answer of which nothing can be added leaves the addresses as they are.
        if same || current.is_empty() {
            return false;
        }
        addresses.current.iter().for_each(|id| self.targets.retire(*id, !current.contains(id)));
        current.iter().for_each(|id| self.targets.retire(*id, false));
        addresses.current = current.into();
        name.version.fetch_add(1, Ordering::Release);
        true
    }

    fn add(&self, name: u32, target: Target) -> Option<TargetId> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        self.owners.push(name)?;
        let index = self.targets.push(target)?;
        u32::try_from(index).ok().map(TargetId)
    }
}

impl Name {
    fn lock(&self) -> MutexGuard<'_, Addresses> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, SocketAddr};

    use model::target::{Target, TargetId};

    use super::{MAX_ADDRESSES, Names, NamesBuilder};

    fn ips(last: &[u8]) -> Vec<IpAddr> {
        last.iter().map(|last| [10, 0, 0, *last].into()).collect()
    }

    fn target() -> Target {
        Target::at(SocketAddr::from(([0, 0, 0, 0], 80)))
    }

    fn now(names: &Names) -> Vec<String> {
        let (_, current) = names.current(0);
        current.iter().map(|id| names.targets()[id.0 as usize].address.to_string()).collect()
    }

    #[test]
    fn each_address_is_a_target_and_keeps_its_number() {
        let mut builder = NamesBuilder::default();
        assert_eq!(builder.name(&target(), Ok(&ips(&[1, 2, 1]))), (0, 2));
        builder.literal(Target::at(([127, 0, 0, 1], 1).into()));
        let names = builder.build();
        assert_eq!(now(&names), ["10.0.0.1:80", "10.0.0.2:80"]);
        assert_eq!([0, 1, 2].map(|id| names.of(TargetId(id))), [Some(0), Some(0), None]);
        assert!(!names.set(0, Ok(&ips(&[2, 1]))), "the order does not matter");
        assert!(names.set(0, Ok(&ips(&[3]))));
        assert_eq!((now(&names), names.version(0)), (vec!["10.0.0.3:80".to_owned()], 1));
        assert!(names.targets().retired().into_iter().map(|id| id.0).eq([0, 1]));
        assert!(names.set(0, Ok(&ips(&[1, 3]))));
        assert!(names.targets().retired().into_iter().map(|id| id.0).eq([1]));
        assert_eq!(names.targets().len(), 4, "an address that comes back is not added again");
        assert_eq!(names.of(TargetId(3)), Some(0));
    }

    #[test]
    fn a_name_without_an_address_is_a_target_with_a_reason() {
        let mut builder = NamesBuilder::default();
        builder.name(&target(), Err(-2));
        let names = builder.build();
        assert_eq!(names.unresolved(TargetId(0)), Some(-2));
        assert!(!names.set(0, Err(-3)), "it has no address, as before");
        assert_eq!(names.unresolved(TargetId(0)), Some(-3));
        assert_eq!((names.version_of(0), names.answer(0)), (0, (0, Err(-3))));
        assert!(names.set(0, Ok(&ips(&[1]))));
        assert_eq!(
            (now(&names), names.unresolved(TargetId(1))),
            (vec!["10.0.0.1:80".to_owned()], None)
        );
        assert_eq!((names.version_of(0), names.answer(0)), (1, (1, Ok(ips(&[1])))));
        assert!(names.set(0, Ok(&[])));
        assert_eq!(*names.current(0).1, [TargetId(0)]);
    }

    #[test]
    fn the_addresses_of_a_name_are_bounded() {
        let mut builder = NamesBuilder::default();
        builder.name(&target(), Err(-2));
        let names = builder.build();
        for number in 0..2 * MAX_ADDRESSES as u32 {
            names.set(0, Ok(&[IpAddr::from((0x0a00_0000 + number).to_be_bytes())]));
        }
        assert_eq!(names.targets().len(), MAX_ADDRESSES);
        assert_eq!(now(&names).len(), 1, "the last one that was added");
    }
}
