//! A name, its last answer, and when it is looked up next.

use std::{net::IpAddr, time::Duration};

use model::errno::NameError;

use super::super::{
    Choice, Families,
    dns::{Found, NotFound},
};

/// The bounds for the time after which a name is looked up again, whatever its answer allows.
const VALID: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3600)];

/// The bounds for the time after which a name that does not resolve is looked up again; its interval lies
/// between them.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// A name to look up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watched {
    pub(crate) host: String,
    /// The shortest interval of its targets.
    pub(crate) interval: Duration,
}

/// The addresses to probe, or why there are none.
type Answer = Result<Vec<IpAddr>, NameError>;

/// A name and what is known about it.
pub(super) struct Name {
    pub(super) watched: Watched,
    /// All addresses that the name servers returned.
    known: Vec<IpAddr>,
    /// `None` until the first lookup has ended.
    pub(super) answer: Option<Answer>,
    pub(super) is_failing: bool,
    /// Its numbers among the names of the engine.
    pub(super) numbers: Vec<usize>,
}

/// What the end of a lookup has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Update {
    /// The time until the next lookup.
    pub(super) wait: Duration,
    pub(super) change: Change,
}

/// Whether a name resolves.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It does or does not, as before.
    None,
    /// It did not before.
    Recovered,
    /// It did before.
    Failed {
        reason: String,
        /// Its last addresses are still probed.
        keeps: bool,
    },
}

impl Name {
    pub(super) fn new(watched: Watched) -> Self {
        Self { watched, known: Vec::new(), answer: None, is_failing: false, numbers: Vec::new() }
    }

    /// A lookup has ended.
    pub(super) fn update(&mut self, result: Result<Found, NotFound>, choice: &Choice) -> Update {
        let retry = self.watched.interval.clamp(RETRY[0], RETRY[1]);
        let failure = match result {
            Ok(Found { addresses, valid, missing }) => {
                self.learn(addresses, missing);
                match choice.choose(&self.known) {
                    Ok(chosen) => {
                        self.answer = Some(Ok(chosen));
                        let valid = valid.clamp(VALID[0], VALID[1]);
                        let wait = if missing.is_some() { valid.min(retry) } else { valid };
                        let was_failing = std::mem::take(&mut self.is_failing);
                        let change = if was_failing { Change::Recovered } else { Change::None };
                        return Update { wait, change };
                    }
                    Err(reason) => NotFound { error: NameError::NoAddress, reason },
                }
            }
            Err(NotFound { error: error @ NameError::NoAddress, .. }) => {
                NotFound { error, reason: choice.no_address() }
            }
            Err(failure) => failure,
        };
        // A name server that does not answer says nothing about the addresses that it returned before.
        let keeps = !failure.is_certain() && matches!(self.answer, Some(Ok(_)));
        if !keeps {
            self.known.clear();
            self.answer = Some(Err(failure.error));
        }
        let was_failing = std::mem::replace(&mut self.is_failing, true);
        let change = if was_failing {
            Change::None
        } else {
            Change::Failed { reason: failure.reason, keeps }
        };
        Update { wait: retry, change }
    }

    /// Replaces the known addresses; those of a family that could not be looked up stay.
    fn learn(&mut self, addresses: Vec<IpAddr>, missing: Option<Families>) {
        self.known.retain(|ip| missing == Some(Families::of(*ip)));
        self.known.extend(addresses);
    }
}

#[cfg(test)]
mod tests {
    use std::{net::IpAddr, time::Duration};

    use model::errno::NameError;

    use super::{Change, Name, Update, Watched};
    use crate::names::{
        Choice, Families,
        dns::{Found, NotFound},
    };

    const SECOND: Duration = Duration::from_secs(1);

    fn name(interval: u32) -> Name {
        Name::new(Watched { host: "db.example".to_owned(), interval: SECOND * interval })
    }

    fn found(ips: &[&str], valid: u32, missing: Option<Families>) -> Result<Found, NotFound> {
        let addresses = ips.iter().map(|text| text.parse().unwrap()).collect();
        Ok(Found { addresses, valid: SECOND * valid, missing })
    }

    fn failed(error: NameError) -> Result<Found, NotFound> {
        Err(NotFound { error, reason: "why".to_owned() })
    }

    fn probed(name: &Name) -> Vec<String> {
        let addresses: &[IpAddr] = name.answer.as_ref().and_then(|a| a.as_deref().ok()).unwrap();
        addresses.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_is_looked_up_again_when_its_answer_is_old() {
        let choice = Choice { families: Families::V4, ..Choice::default() };
        for (valid, wait) in [(0, 1), (5, 5), (86_400, 3_600)] {
            let update = name(10).update(found(&["10.0.0.1"], valid, None), &choice);
            assert_eq!(update, Update { wait: SECOND * wait, change: Change::None });
        }
        for (interval, wait) in [(0, 1), (10, 10), (600, 30)] {
            let update = name(interval).update(failed(NameError::NoName), &choice);
            assert_eq!(update.wait, SECOND * wait);
        }
    }

    #[test]
    fn only_an_answer_takes_addresses_away() {
        let choice = Choice { families: Families::V4, ..Choice::default() };
        let mut name = name(10);
        name.update(found(&["10.0.0.1"], 5, None), &choice);
        for (error, keeps) in [(NameError::NoAnswer, true), (NameError::Failed, true)] {
            name.is_failing = false;
            let Update { change, .. } = name.update(failed(error), &choice);
            assert_eq!(change, Change::Failed { reason: "why".to_owned(), keeps });
            assert_eq!(probed(&name), ["10.0.0.1"]);
        }
        assert_eq!(name.update(failed(NameError::NoName), &choice).change, Change::None);
        assert_eq!(name.answer, Some(Err(NameError::NoName)));
        let update = name.update(found(&["10.0.0.2"], 5, None), &choice);
        assert_eq!(
            (update.change, probed(&name)),
            (Change::Recovered, vec!["10.0.0.2".to_owned()])
        );
        let sink = name.update(found(&["0.0.0.0"], 5, None), &choice);
        assert!(matches!(sink.change, Change::Failed { keeps: false, .. }), "{sink:?}");
    }

    #[test]
    fn a_family_that_could_not_be_looked_up_keeps_its_addresses() {
        let choice = Choice { has_interface: true, ..Choice::default() };
        let mut name = name(10);
        name.update(found(&["127.0.0.1", "127.0.0.2", "::1"], 60, None), &choice);
        let update = name.update(found(&["127.0.0.3"], 60, Some(Families::V6)), &choice);
        assert_eq!(update.wait, SECOND * 10, "sooner than the answer allows");
        assert_eq!(
            name.known.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["::1", "127.0.0.3"]
        );
    }
}
