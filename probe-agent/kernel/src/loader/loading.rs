//! Attaches each program by itself and notes what came of it: the failure of one costs what that one
//! observes, and nothing else.

use std::os::fd::AsFd;

use aya::{Ebpf, programs::Program};
use model::{
    capability::{Capabilities, State},
    record::StateHook,
};
use probe_agent_common::{HOOKS, Hook, RETRANSMIT_SKB, SET_STATE};

use super::{
    attach::{self, Link},
    facts::Facts,
};
use crate::{
    ack_guard,
    capability::{
        self, ACK_GUARD, CGROUP, NETNS_COOKIE, RECURSION_MISSES, RST_ACCOUNTING, STATE_HOOK,
    },
    cgroup::Cgroup,
    error::TraceError,
    program,
    recursion_misses::RecursionMisses,
    sock_ops,
    state_hook::StateHookChoice,
};

/// What has been attached so far.
pub(super) struct Loading<'a> {
    programs: &'a mut Ebpf,
    facts: &'a Facts,
    pub(super) done: Attached,
    /// The first refusal for want of a privilege.
    refused: Option<TraceError>,
    /// Why the kernel's counts of skipped programs cannot be read.
    uncounted: Option<String>,
}

/// What became of `sock_ops`.
pub(super) enum SockOps {
    /// It reports state changes.
    Attached,
    /// The tracepoint is to report them, or there is to be no cgroup.
    NotWanted,
    /// It cannot be used.
    Failed(TraceError),
}

/// What was attached.
pub(super) struct Attached {
    pub(super) capabilities: Capabilities,
    pub(super) links: Vec<Link>,
    /// Names of the programs, in the order in which they were loaded.
    pub(super) names: Vec<&'static str>,
    pub(super) misses: RecursionMisses,
    pub(super) cgroup: Option<Cgroup>,
    pub(super) state_hook: Option<StateHook>,
}

impl<'a> Loading<'a> {
    pub(super) fn new(programs: &'a mut Ebpf, facts: &'a Facts) -> Self {
        let done = Attached {
            capabilities: facts.capabilities.clone(),
            links: Vec::new(),
            names: Vec::new(),
            misses: RecursionMisses::default(),
            cgroup: None,
            state_hook: None,
        };
        Self { programs, facts, done, refused: None, uncounted: None }
    }

    /// Attaches the programs of the cgroup that was joined: the ACK guard and, if it is chosen, the one that
    /// reports state changes. `joined` is `None` if there is to be no cgroup; `listens` says how many listeners
    /// the latter has seen.
    pub(super) fn cgroup(
        &mut self,
        joined: Option<Result<Cgroup, TraceError>>,
        choice: StateHookChoice,
        listens: impl Fn() -> u64,
    ) -> SockOps {
        let capabilities = &mut self.done.capabilities;
        let Some(joined) = joined else {
            capabilities.push(CGROUP.is(State::Off));
            capabilities.push(ACK_GUARD.is(State::Off));
            return SockOps::NotWanted;
        };
        capabilities.push(capability::of_cgroup(&joined));
        let cgroup = match joined {
            Ok(cgroup) => cgroup,
            Err(error) => {
                capabilities.push(ACK_GUARD.after::<()>(&Err(error.clone())));
                return SockOps::Failed(error);
            }
        };
        let mut guard = ack_guard::attach(self.programs, &cgroup);
        let is_chosen = choice == StateHookChoice::Auto;
        let mut states = is_chosen.then(|| sock_ops::attach(self.programs, &cgroup));
        if matches!(states, Some(Ok(_))) && !sock_ops::sees_this_process(listens) {
            // What the one does not see, the other does not see either.
            guard = Err(TraceError::Load(sock_ops::UNSEEN.to_owned()));
            states = Some(Err(TraceError::Load(sock_ops::UNSEEN.to_owned())));
        }
        let guard = self.keep(ack_guard::PROGRAM, guard.map(Link::AckGuard));
        self.done.capabilities.push(ACK_GUARD.after(&guard));
        let states = states.map(|link| self.keep(sock_ops::PROGRAM, link.map(Link::SockOps)));
        if guard.is_ok() || matches!(states, Some(Ok(()))) {
            self.done.cgroup = Some(cgroup);
        }
        match states {
            None => SockOps::NotWanted,
            Some(Ok(())) => {
                self.done.state_hook = Some(StateHook::SockOps);
                SockOps::Attached
            }
            Some(Err(error)) => SockOps::Failed(error),
        }
    }

    /// Makes sure that a hook reports state changes: where `sock_ops` does not, the tracepoint.
    ///
    /// # Errors
    /// Why none does.
    pub(super) fn state_hook(&mut self, sock_ops: &SockOps) -> Result<(), TraceError> {
        if matches!(sock_ops, SockOps::Attached) {
            self.done.capabilities.push(STATE_HOOK.is(State::Available));
            return Ok(());
        }
        let tracepoint = self.hook(&SET_STATE);
        if tracepoint.is_ok() {
            self.done.state_hook = Some(StateHook::Tracepoint);
            let retransmits = self.hook(&RETRANSMIT_SKB);
            self.done.capabilities.push(capability::of_hook(&RETRANSMIT_SKB, &retransmits));
        }
        self.done.capabilities.push(match (&tracepoint, sock_ops) {
            (Ok(()), SockOps::Failed(error)) => capability::tracepoint_for_sock_ops(error),
            _ => STATE_HOOK.after(&tracepoint),
        });
        tracepoint
    }

    /// Attaches all other hooks.
    pub(super) fn hooks(&mut self) {
        for hook in self.facts.rst_hooks.iter().chain(&HOOKS) {
            let result = self.hook(hook);
            self.done.capabilities.push(capability::of_hook(hook, &result));
        }
    }

    /// Adds what is known only when everything has been tried.
    pub(super) fn finish(self) -> Attached {
        let Self { mut done, facts, refused, uncounted, .. } = self;
        let no_types = facts.types.as_ref().err().map(|error| error.reason().to_owned());
        let or_unavailable = |why: Option<String>| why.map_or(State::Available, State::Unavailable);
        let capabilities = &mut done.capabilities;
        let hooks = facts.rst_hooks.iter().map(|hook| hook.program);
        let needed = [NETNS_COOKIE.name].into_iter().chain(hooks);
        let missing = needed.filter_map(|name| capabilities.get(name)?.state.reason());
        let accounting = or_unavailable(missing.map(str::to_owned).next());
        capabilities.push(RECURSION_MISSES.is(or_unavailable(no_types.or(uncounted))));
        capabilities.push(RST_ACCOUNTING.is(accounting));
        capabilities.put_first(capability::privileges(refused));
        done
    }

    fn hook(&mut self, hook: &Hook) -> Result<(), TraceError> {
        let link = match &self.facts.types {
            Ok(types) => attach::attach(self.programs, hook, types),
            Err(error) => Err(error.clone()),
        };
        self.keep(hook.program, link)?;
        if hook.skips_are_lost {
            let program = self.programs.program(hook.program).map(Program::fd).and_then(Result::ok);
            if let Some(Err(error)) = program.map(|program| self.done.misses.add(program.as_fd())) {
                self.uncounted.get_or_insert(format!("/proc does not show them: {error}"));
            }
        }
        Ok(())
    }

    /// Keeps the link of an attached program; unloads one that could not be attached.
    fn keep(
        &mut self,
        name: &'static str,
        link: Result<Link, TraceError>,
    ) -> Result<(), TraceError> {
        match link {
            Ok(link) => {
                self.done.links.push(link);
                self.done.names.push(name);
                Ok(())
            }
            Err(error) => {
                program::unload(self.programs, name);
                if matches!(error, TraceError::Permission { .. }) {
                    self.refused.get_or_insert_with(|| error.clone());
                }
                Err(error)
            }
        }
    }
}
