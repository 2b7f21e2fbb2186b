//! Loads the programs, and holds what is loaded.

mod attach;

use std::{net::SocketAddr, path::Path};

use aya::{
    Btf, Ebpf, EbpfLoader, Pod,
    maps::{Map, MapData, MapError, RingBuf},
    util::nr_cpus,
};
use aya_log::EbpfLogger;
use probe_agent_common::{
    ABSENT, Counter, KernelLayout, OWNED_WORDS, PortEntry, SlotRecord, owned_bit, owned_word,
};

use self::attach::{Links, attach};
use super::{
    ack_guard::Guard,
    btf,
    error::TraceError,
    layout::{Form, Kernel},
    mapped::{Access, Mapped},
    misses::Misses,
    own_states, tracefs,
};
use model::flow::address_bytes;

/// The programs, as `cargo xtask build` made them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(env!("PROBE_AGENT_EBPF_OBJECT"));

/// Elements of `PORTS`: one for each port.
const PORTS: u32 = 1 << 16;

/// The loaded programs and their maps. Dropping it detaches everything.
pub struct Tracer {
    /// What the running kernel can give.
    pub kernel: Kernel,
    /// What the kernel noted of each slot.
    pub slots: Mapped<SlotRecord>,
    /// Whether a probe's handshake is kept half-open.
    pub guard: Guard,
    /// Whether changes of state are told by a program that only the agent's own sockets pass.
    pub hears_own_states: bool,
    owned: Mapped<u64>,
    ports: Mapped<PortEntry>,
    counters: Counters,
    misses: Misses,
    _links: Links,
    _programs: Ebpf,
}

/// The kernel's ends of the ring buffers, for [`super::reader`].
pub struct Rings {
    pub(super) events: RingBuf<MapData>,
    pub(super) log: Option<EbpfLogger<KernelLog>>,
}

impl Rings {
    /// Leaves unread what the hooks log: a library prints nothing.
    #[must_use]
    pub fn without_log(self) -> Self {
        Self { log: None, ..self }
    }
}

impl Tracer {
    /// Loads the programs for `slots` slots of the network namespace with cookie `netns_cookie`
    /// (`SO_NETNS_COOKIE`; 0 if it is not known), attaches every hook that this kernel has and, with
    /// `ack_guard`, puts the process into a cgroup with the ACK guard.
    ///
    /// Where tracefs is not mounted, the first call must be the main thread's, before others are
    /// started (see [`tracefs::find`]); any thread may call it afterwards.
    ///
    /// # Errors
    /// A [`TraceError`] that names what is missing and the remedy. Nothing stays attached then.
    pub fn load(
        slots: u32,
        netns_cookie: u64,
        ack_guard: bool,
        form: Form,
    ) -> Result<(Self, Rings), TraceError> {
        let mut kernel = Kernel::read(form, Path::new(btf::VMLINUX), tracefs::find)?;
        let can_tell_netns = kernel.layout.sock_net != ABSENT;
        kernel.layout.netns_cookie = if can_tell_netns { netns_cookie } else { 0 };
        let cpus = cpus()?;
        let mut programs = load(slots, cpus, &kernel.layout)?;
        let types = kernel.has_raw().then(Btf::from_sys_fs).transpose();
        let types = types.map_err(|e| TraceError::Load(format!("{}: {e}", btf::VMLINUX)))?;
        if let Some(types) = &types
            && (form == Form::Untyped || !attach::knows_null(&mut programs, types)?)
        {
            kernel.untype_resets();
        }
        let counters = mapped(&programs, "COUNTERS", cpus * Counter::COUNT, Access::Read)?;
        let counters = Counters { counters, cpus };
        let mut guard = if ack_guard { Guard::stand(&mut programs) } else { Guard::Off };
        // Where that cannot be, the tracepoint tells the same, at some cost to everybody's connections.
        let mut hears_own_states = form == Form::Auto
            && guard.cgroup().is_some_and(|cgroup| own_states::hear(&mut programs, cgroup).is_ok());
        if hears_own_states && own_states::is_deaf(|| counters.sum(Counter::ListensHeard)) {
            hears_own_states = false;
            guard = Guard::Unavailable(own_states::DEAF.to_owned());
        }
        if hears_own_states {
            kernel.hears_own_states();
        } else {
            own_states::end(&mut programs);
        }
        let mut links = Links::default();
        let mut misses = Misses::default();
        for hook in &kernel.hooks {
            links.0.push(attach(&mut programs, hook, types.as_ref(), &mut misses)?);
        }
        let log = EbpfLogger::init_with_logger(&mut programs, KernelLog).ok();
        let rings = Rings { events: take(&mut programs, "EVENTS")?, log };
        let tracer = Self {
            kernel,
            slots: mapped(&programs, "SLOTS", slots, Access::Read)?,
            guard,
            hears_own_states,
            owned: mapped(&programs, "OWNED", OWNED_WORDS, Access::Write)?,
            ports: mapped(&programs, "PORTS", PORTS, Access::Write)?,
            counters,
            misses,
            _links: links,
            _programs: programs,
        };
        Ok((tracer, rings))
    }

    /// Tells the hooks that a local port is a slot's, whose socket has this `SO_COOKIE` (0 if it is
    /// not known). The address may be the wildcard.
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

    /// Tells the hooks that a local port is nobody's any more.
    pub fn disown_port(&self, port: u16) {
        self.owned.change_bits(owned_word(port), owned_bit(port), false);
        self.ports.write(u32::from(port), PortEntry::default());
    }

    /// Events that nobody can say of whose they were: the ring buffer had no room, or a hook was
    /// skipped.
    #[must_use]
    pub fn events_lost(&self) -> u64 {
        self.counter(Counter::EventsLost) + self.misses.count()
    }

    /// Whether the hooks see every RST that this network namespace sends, and know which those are.
    #[must_use]
    pub fn sees_every_rst(&self) -> bool {
        let layout = &self.kernel.layout;
        let can_tell = layout.netns_cookie != 0 && layout.skb_dev != ABSENT;
        self.kernel.sees_socketless_rst && can_tell
    }

    /// One of the hooks' counters, over all CPUs.
    #[must_use]
    pub fn counter(&self, counter: Counter) -> u64 {
        self.counters.sum(counter)
    }

    /// Whether the programs on the cgroup see a socket that this process makes now.
    #[must_use]
    pub fn sees_own_sockets(&self) -> bool {
        self.hears_own_states && !own_states::is_deaf(|| self.counter(Counter::ListensHeard))
    }
}

/// The counters of all CPUs.
struct Counters {
    counters: Mapped<u64>,
    cpus: u32,
}

impl Counters {
    fn sum(&self, counter: Counter) -> u64 {
        let of = |cpu| self.counters.read(cpu * Counter::COUNT + counter as u32);
        (0..self.cpus).filter_map(of).sum()
    }
}

/// How many CPUs this host may come to have.
fn cpus() -> Result<u32, TraceError> {
    nr_cpus()
        .map_err(|(file, error)| TraceError::Load(format!("{file}: {error}")))
        .map(|n| u32::try_from(n).unwrap_or(u32::MAX / Counter::COUNT))
}

fn load(slots: u32, cpus: u32, layout: &KernelLayout) -> Result<Ebpf, TraceError> {
    EbpfLoader::new()
        // The programs have no CO-RE relocations: reading the kernel's BTF for them is time lost.
        .btf(None)
        .override_global("LAYOUT", layout, true)
        .map_max_entries("SLOTS", slots)
        .map_max_entries("COUNTERS", cpus * Counter::COUNT)
        .load(OBJECT)
        .map_err(|e| TraceError::from_aya(&e))
}

/// Maps the array of a name, which has so many elements.
fn mapped<T: Pod>(
    programs: &Ebpf,
    name: &str,
    elements: u32,
    access: Access,
) -> Result<Mapped<T>, TraceError> {
    match programs.map(name) {
        Some(Map::Array(map)) => Mapped::map(map.fd(), elements, access)
            .map_err(|e| TraceError::Load(format!("mapping the array {name}: {e}"))),
        _ => Err(TraceError::Load(format!("the object has no array {name}"))),
    }
}

/// Takes a map out of the object, as the type that it is declared with.
fn take<M: TryFrom<Map, Error = MapError>>(
    programs: &mut Ebpf,
    name: &str,
) -> Result<M, TraceError> {
    programs
        .take_map(name)
        .ok_or_else(|| TraceError::Load(format!("the object has no map {name}")))?
        .try_into()
        .map_err(|e: MapError| TraceError::from_aya(&e))
}

/// Prints what the hooks log with aya-log: things that no known kernel does.
#[derive(Debug)]
pub struct KernelLog;

impl log::Log for KernelLog {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("probe-agent: kernel side: {}", record.args());
    }

    fn flush(&self) {}
}
