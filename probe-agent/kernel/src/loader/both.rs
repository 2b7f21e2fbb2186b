//! Does two things at the same time.

use std::thread;

use nix::sys::signal::SigSet;

use crate::headroom;

/// The results of both. One is done after the other where this host refuses a thread, and where the address
/// space is limited.
pub(super) fn both<A, B: Send>(here: impl FnOnce() -> A, there: impl Fn() -> B + Sync) -> (A, B) {
    if headroom::is_address_space_limited() {
        return (here(), there());
    }
    let there = &there;
    thread::scope(|scope| {
        let other = thread::Builder::new().name("load".to_owned()).spawn_scoped(scope, move || {
            // Cannot fail with these arguments (pthread_sigmask(3)); the host program's handlers are not
            // for this thread.
            let _ = SigSet::all().thread_block();
            there()
        });
        let result = here();
        // A panic there has been printed, and is repeated here.
        let other = other.ok().and_then(|other| other.join().ok());
        (result, other.unwrap_or_else(there))
    })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::both;

    #[test]
    fn one_of_them_runs_on_another_thread() {
        let id = || thread::current().id();
        let (here, there) = both(id, id);
        assert!(here == id() && there != id());
    }
}
