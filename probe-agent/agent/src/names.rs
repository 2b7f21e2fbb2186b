//! Looks host names up, and again whenever an answer has grown old.
//!
//! The names are looked up with a DNS client of the agent's own, because `getaddrinfo(3)` does not return
//! how long an answer is valid, cannot be interrupted, and needs a thread for each lookup. The client reads
//! what the C library reads: first `/etc/hosts`, then the servers, the search list and the options of
//! `/etc/resolv.conf`. It does not load the other modules of `/etc/nsswitch.conf`.
//!
//! Everything here runs in the network namespace of the calling thread.

mod choose;
mod dns;
mod families;
mod hosts;
mod notices;
mod order;
mod search;
mod watch;

pub(crate) use self::{
    choose::Choice,
    families::Families,
    watch::{NameWatch, Watched, Watching, start},
};

/// Which addresses of a name are probed: the value of `--resolve`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Resolve {
    /// All of them: each is a target of its own.
    #[default]
    All,
    /// The one that a client would try first.
    First,
}
