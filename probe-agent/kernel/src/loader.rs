//! Loads the programs, and holds what is loaded.

mod attach;
mod both;
mod counters;
mod facts;
mod loading;
mod maps;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use aya::{
    Ebpf,
    maps::{MapData, RingBuf},
};
use model::{
    capability::Capabilities,
    flow::address_bytes,
    record::{HalfOpen, RstHooks, StateHook},
};
use probe_agent_common::{
    Counter, Hook, HookKind, OWNED_WORDS, PortEntry, RETRANSMIT_SKB, SlotRecord, owned_bit,
    owned_word,
};

use self::{
    attach::Link,
    both::both,
    counters::Counters,
    facts::Facts,
    loading::{Attached, Loading},
};
use crate::{
    bpf_log::BpfLog,
    capability::{ACK_GUARD, PACKET_HEADERS, RST_ACCOUNTING},
    cgroup::Cgroup,
    error::TraceError,
    headroom,
    mapped_array::{Access, MappedArray},
    reasons::Reasons,
    recursion_misses::RecursionMisses,
    sock_ops,
    state_hook::StateHookChoice,
};

/// Elements of `PORTS`: one for each port.
const PORTS: u32 = 1 << 16;

/// The loaded programs and their maps. [`Self::detach`] detaches the programs; dropping it does so, too,
/// and unloads them.
pub struct Tracer {
    /// What the kernel noted of each slot.
    pub slots: MappedArray<SlotRecord>,
    capabilities: Capabilities,
    half_open: HalfOpen,
    state_hook: Option<StateHook>,
    rst_hooks: &'static [Hook],
    reasons: Reasons,
    names: Vec<&'static str>,
    owned: MappedArray<u64>,
    ports: MappedArray<PortEntry>,
    last_loss: MappedArray<u64>,
    counters: Counters,
    misses: RecursionMisses,
    attached: Mutex<Attachments>,
    _programs: Ebpf,
}

/// What is undone in this order.
struct Attachments {
    links: Vec<Link>,
    cgroup: Option<Cgroup>,
}

/// The kernel's ends of the ring buffers, for [`crate::reader`].
pub struct Rings {
    pub(crate) events: RingBuf<MapData>,
    pub(crate) log: Option<BpfLog>,
}

impl Tracer {
    /// Loads the programs for `slots` slots of the network namespace with cookie `netns_cookie`
    /// (`SO_NETNS_COOKIE`; 0 if it is not known), attaches every hook that this kernel has and, with
    /// `ack_guard`, puts the process into a cgroup with the ACK guard.
    ///
    /// What cannot be attached is missing in [`Self::capabilities`].
    ///
    /// # Errors
    /// If neither state changes can be traced nor the ACK guard can be attached; nothing stays attached
    /// then. [`crate::capability::none`] gives the capabilities of such a host.
    pub fn load(
        slots: u32,
        netns_cookie: u64,
        ack_guard: bool,
        choice: StateHookChoice,
    ) -> Result<(Self, Rings), TraceError> {
        headroom::check()?;
        // The kernel takes some 12 ms to move a process, and waits most of the time.
        let ((facts, loader), cgroup) = both(
            || both(|| Facts::gather(netns_cookie), maps::loader),
            || ack_guard.then(Cgroup::join),
        );
        let cpus = counters::cpus()?;
        let mut programs = maps::load(loader, slots, cpus, &facts.layout)?;
        let values = maps::mapped(&programs, "COUNTERS", cpus * Counter::COUNT, Access::Read)?;
        let counters = Counters { values, cpus };
        let mut loading = Loading::new(&mut programs, &facts);
        let states = loading.cgroup(cgroup, choice, || counters.sum(Counter::ListensSeen));
        let states = loading.state_hook(&states);
        if let Err(error) = states
            && !loading.done.capabilities.has(ACK_GUARD.name)
        {
            return Err(error);
        }
        loading.hooks();
        let Attached { capabilities, links, names, misses, cgroup, state_hook } = loading.finish();
        let log = BpfLog::open(&mut programs);
        let rings = Rings { events: maps::take(&mut programs, "EVENTS")?, log };
        let is_guarded = capabilities.has(ACK_GUARD.name);
        let half_open = if is_guarded { HalfOpen::Enforced } else { HalfOpen::NotEnforced };
        let tracer = Self {
            slots: maps::mapped(&programs, "SLOTS", slots, Access::Read)?,
            capabilities,
            half_open,
            state_hook,
            rst_hooks: facts.rst_hooks,
            reasons: facts.reasons,
            names,
            owned: maps::mapped(&programs, "OWNED", OWNED_WORDS, Access::Write)?,
            ports: maps::mapped(&programs, "PORTS", PORTS, Access::Write)?,
            last_loss: maps::mapped(&programs, "LAST_LOSS", slots, Access::Write)?,
            counters,
            misses,
            attached: Mutex::new(Attachments { links, cgroup }),
            _programs: programs,
        };
        Ok((tracer, rings))
    }

    /// Detaches all programs, then leaves the cgroup; maps, counters and loaded programs stay. Nothing
    /// happens the second time.
    ///
    /// The last link is closed first. Two programs are attached to the same tracepoint: to take away the
    /// first of them, the kernel waits until no CPU runs it (`tracepoint_remove_func`, 2->1), some 20 ms.
    ///
    /// # Errors
    /// If the cgroup cannot be left. Everything is detached then, too.
    pub fn detach(&self) -> io::Result<()> {
        let mut attached = self.attached.lock().unwrap_or_else(PoisonError::into_inner);
        while attached.links.pop().is_some() {}
        attached.cgroup.take().map_or(Ok(()), Cgroup::leave)
    }

    /// Gives back a share of a tracer. The last one detaches the programs and leaves the cgroup; where that
    /// fails, the next agent removes it.
    pub fn release(shared: Arc<Self>) {
        if let Some(tracer) = Arc::into_inner(shared) {
            let _ = tracer.detach();
        }
    }

    /// What the kernel and this process's privileges make possible, as loading has found out.
    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Names of the loaded programs, in the order in which they were loaded.
    #[must_use]
    pub fn programs(&self) -> &[&'static str] {
        &self.names
    }

    /// The names of this kernel's reasons.
    #[must_use]
    pub const fn reasons(&self) -> &Reasons {
        &self.reasons
    }

    /// Whether a probe's handshake is kept half-open.
    #[must_use]
    pub const fn half_open(&self) -> HalfOpen {
        self.half_open
    }

    /// Which hook reports state changes; `None` if none does, and the slots' records stay empty.
    #[must_use]
    pub const fn state_hook(&self) -> Option<StateHook> {
        self.state_hook
    }

    /// Which hooks report RSTs, those that could not be attached included.
    #[must_use]
    pub fn rst_hooks(&self) -> RstHooks {
        match self.rst_hooks.first().map(|hook| hook.kind) {
            Some(HookKind::Function) => RstHooks::Functions,
            Some(HookKind::Tracepoint) | None => RstHooks::Tracepoint,
        }
    }

    /// Whether a RST that no socket sends is reported: it shows that a SYN-ACK came after a probe.
    #[must_use]
    pub fn sees_socketless_rsts(&self) -> bool {
        // The first of the hooks sees the RSTs that answer nothing.
        let answers = self.rst_hooks.iter().skip(1).map(|hook| hook.program);
        answers.chain([PACKET_HEADERS.name]).all(|name| self.capabilities.has(name))
    }

    /// Whether everything is reported that a probe's own socket sends: its retransmits and the RST of
    /// its close.
    #[must_use]
    pub fn sees_all_sent(&self) -> bool {
        let mut close = self.rst_hooks.iter().take(1);
        let retransmits = match self.state_hook {
            // It reports them, too.
            Some(StateHook::SockOps) => true,
            Some(StateHook::Tracepoint) | None => self.capabilities.has(RETRANSMIT_SKB.program),
        };
        retransmits && close.all(|hook| self.capabilities.has(hook.program))
    }

    /// Whether the hooks see every RST that this network namespace sends, and know which those are.
    #[must_use]
    pub fn sees_every_rst(&self) -> bool {
        self.capabilities.has(RST_ACCOUNTING.name)
    }

    /// Whether the programs on the cgroup see a socket that this process makes now.
    #[must_use]
    pub fn sees_own_sockets(&self) -> bool {
        self.state_hook == Some(StateHook::SockOps)
            && sock_ops::sees_this_process(|| self.counter(Counter::ListensSeen))
    }

    /// Registers a local port as a slot's, whose socket has this `SO_COOKIE` (0 if it is not known). The
    /// address may be the wildcard.
    pub fn own_port(&self, slot: u32, local: SocketAddr, cookie: u64) {
        let entry = PortEntry {
            slot_plus_one: slot + 1,
            bound: u32::from(!local.ip().is_unspecified()),
            cookie,
            address: address_bytes(local.ip()),
        };
        let port = local.port();
        self.ports.write(u32::from(port), entry);
        self.owned.change_bits(owned_word(port), owned_bit(port), true);
    }

    /// Removes a local port: it is no slot's any more.
    pub fn disown_port(&self, port: u16) {
        self.owned.change_bits(owned_word(port), owned_bit(port), false);
        self.ports.write(u32::from(port), PortEntry::default());
    }

    /// Events that did not reach userspace: the ring buffer had no room, or the kernel's recursion guard
    /// skipped a program.
    #[must_use]
    pub fn events_lost(&self) -> u64 {
        self.counter(Counter::EventsLost) + self.events_skipped()
    }

    /// Of those, the ones of which it is not known whose they were: the recursion guard skipped a program.
    pub(crate) fn events_skipped(&self) -> u64 {
        self.misses.count()
    }

    /// Notes that events without a socket, on the port of a slot, may be missing up to this time.
    pub fn note_loss(&self, slot: u32, at: u64) {
        self.last_loss.raise(slot, at);
    }

    /// The same, for the slot that has a local port.
    pub(crate) fn note_loss_on_port(&self, port: u16, at: u64) {
        let entry = self.ports.read(u32::from(port)).unwrap_or_default();
        if let Some(slot) = entry.slot_plus_one.checked_sub(1) {
            self.note_loss(slot, at);
        }
    }

    /// Whether an event without a socket, on the port of a slot, was lost at this time or later.
    #[must_use]
    pub fn has_lost_since(&self, slot: u32, at: u64) -> bool {
        self.last_loss.read(slot).is_some_and(|last| last != 0 && last >= at)
    }

    /// One of the hooks' counters, over all CPUs.
    #[must_use]
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters.sum(counter)
    }
}
