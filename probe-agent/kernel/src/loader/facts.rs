//! What is known of this kernel before any program is loaded.

use std::io;

use aya::{
    Btf, Endianness,
    programs::ProgramType,
    sys::{BpfHelper, is_helper_supported},
};
use model::{
    capability::{Capabilities, State},
    errno::in_words,
};
use probe_agent_common::{ABSENT, Hook, KernelLayout, RST_FUNCTIONS, RST_TRACEPOINT};

use crate::{
    btf::{KernelTypes, VMLINUX},
    capability::{KERNEL_BTF, NETNS_COOKIE, PACKET_HEADERS},
    error::TraceError,
    layout, null_arguments, privilege,
    reasons::Reasons,
};

/// What BTF gives.
pub(super) struct Types {
    pub(super) types: KernelTypes,
    /// The same file as aya keeps it: aya looks up the numbers of types in it.
    pub(super) numbers: Btf,
}

/// What is known of this kernel.
pub(super) struct Facts {
    /// BTF, or why there is none.
    pub(super) types: Result<Types, TraceError>,
    /// Offsets, and the cookie of the network namespace.
    pub(super) layout: KernelLayout,
    /// The hooks that see RSTs on this kernel.
    pub(super) rst_hooks: &'static [Hook],
    /// The names of this kernel's reasons.
    pub(super) reasons: Reasons,
    /// What was found out on the way.
    pub(super) capabilities: Capabilities,
}

impl Facts {
    /// Reads BTF; `netns_cookie` is that of the network namespace that the probes leave from, or 0.
    pub(super) fn gather(netns_cookie: u64) -> Self {
        let read = types().and_then(|types| {
            let read = layout::read(&types.types);
            let layout = read.ok_or_else(|| unusable("it does not describe sockets"))?;
            Ok((types, layout))
        });
        let mut capabilities = Capabilities::default();
        capabilities.push(KERNEL_BTF.after(&read));
        let (types, mut layout) = match read {
            Ok((types, layout)) => (Ok(types), layout),
            Err(error) => (Err(error), KernelLayout::NONE),
        };
        let netns = netns(&types, &layout, netns_cookie);
        if netns == State::Available {
            layout.netns_cookie = netns_cookie;
        }
        capabilities.push(NETNS_COOKIE.is(netns));
        let headers = headers(&types);
        if headers != State::Available {
            layout.packet.head = ABSENT;
        }
        capabilities.push(PACKET_HEADERS.is(headers));
        let reasons = types.as_ref().map(|types| Reasons::of(&types.types)).unwrap_or_default();
        let rst_hooks = rst_hooks(types.as_ref().ok(), &layout);
        Self { types, layout, rst_hooks, reasons, capabilities }
    }
}

/// The hooks that see RSTs: one tracepoint where it fires without a socket and is safe to read, else
/// the functions that send RSTs (see the program `tcp_v4_send_reset`).
fn rst_hooks(types: Option<&Types>, layout: &KernelLayout) -> &'static [Hook] {
    let [tracepoint, _] = &RST_TRACEPOINT;
    let is_usable = types.is_none_or(|Types { types, .. }| {
        let found = layout::arguments(types, tracepoint).unwrap_or_default();
        let number = types.tracepoint_number(tracepoint.target);
        let members = [layout.socket.local_port, layout.packet.transport];
        let knows_null = |number| null_arguments::are_known(number, &members);
        layout::fit(&found, tracepoint) && number.is_some_and(knows_null)
    });
    match (is_usable, layout::has_v6(layout)) {
        (true, _) => &RST_TRACEPOINT,
        (false, true) => &RST_FUNCTIONS,
        (false, false) => &RST_FUNCTIONS[..2],
    }
}

fn types() -> Result<Types, TraceError> {
    let bytes = std::fs::read(VMLINUX).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => TraceError::Load(format!("{VMLINUX} is missing")),
        _ => unusable(&in_words(error).to_string()),
    })?;
    let numbers = Btf::parse(&bytes, Endianness::default());
    let numbers = numbers.map_err(|error| unusable(&error.to_string()))?;
    let types = KernelTypes::parse(bytes).ok_or_else(|| unusable("it is not BTF"))?;
    Ok(Types { types, numbers })
}

fn unusable(why: &str) -> TraceError {
    TraceError::Load(format!("{VMLINUX}: {why}"))
}

/// Whether the programs can tell the agent's network namespace from others.
fn netns(types: &Result<Types, TraceError>, layout: &KernelLayout, cookie: u64) -> State {
    match types {
        Err(error) => State::Unavailable(error.reason().to_owned()),
        Ok(_) if cookie == 0 => State::Unavailable("this kernel has no SO_NETNS_COOKIE".to_owned()),
        Ok(_) if !layout::has_netns(layout) => {
            State::Unavailable("struct net has no net_cookie".to_owned())
        }
        Ok(_) => State::Available,
    }
}

/// Whether the programs may read the headers of a packet.
fn headers(types: &Result<Types, TraceError>) -> State {
    if let Err(error) = types {
        return State::Unavailable(error.reason().to_owned());
    }
    let helper = BpfHelper::BPF_FUNC_probe_read_kernel;
    match is_helper_supported(ProgramType::RawTracePoint, helper) {
        Ok(false) if privilege::is_confidential() => {
            State::Unavailable("the kernel is locked down: confidentiality".to_owned())
        }
        Ok(false) => State::Unavailable("bpf_probe_read_kernel is not allowed".to_owned()),
        // Where this cannot be found out, loading the programs will show it.
        Ok(true) | Err(_) => State::Available,
    }
}
