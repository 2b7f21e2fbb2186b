//! Puts together the [`KernelLayout`] of the running kernel, and says what it cannot give.

mod raw;
mod record;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use probe_agent_common::{ABSENT, KernelLayout};

use super::{btf::KernelTypes, error::TraceError};

/// A tracepoint: its category, its name, and what goes without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tracepoint {
    category: &'static str,
    name: &'static str,
    price: &'static str,
}

const fn tracepoint(category: &'static str, name: &'static str, price: &'static str) -> Tracepoint {
    Tracepoint { category, name, price }
}

const SET_STATE: Tracepoint = tracepoint("sock", "inet_sock_set_state", "nothing is seen");
const SEND_RESET: Tracepoint = tracepoint("tcp", "tcp_send_reset", "nothing can be confirmed");
const RECEIVE_RESET: Tracepoint =
    tracepoint("tcp", "tcp_receive_reset", "a refusal is inferred from its errno");
const RETRANSMIT_SKB: Tracepoint =
    tracepoint("tcp", "tcp_retransmit_skb", "a lost SYN shows as a slow handshake only");
const RETRANSMIT_SYNACK: Tracepoint = tracepoint(
    "tcp",
    "tcp_retransmit_synack",
    "a server on this host is not seen sending its SYN-ACK again",
);

/// A program and what it is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Name of the program.
    pub program: &'static str,
    /// Category of the tracepoint; `None` for a raw one.
    pub category: Option<&'static str>,
    /// Name of the tracepoint.
    pub tracepoint: &'static str,
    /// Whether nobody can say what was lost when the kernel skips the program. A transition that is
    /// not noted leaves a gap in its slot's record; and no interrupt brings the RST of a close.
    pub skipping_loses: bool,
}

/// Which form of the tracepoints the hooks use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Raw ones where the kernel has BTF, else records; and for changes of state, with the ACK guard,
    /// none: a program on the agent's cgroup hears of its own sockets alone
    #[default]
    Auto,
    /// Raw tracepoints: the kernel's own structures, read by BTF
    Raw,
    /// The same, with RSTs read as on kernels that do not know which arguments may be missing
    Untyped,
    /// Tracepoint records, read by the format files of tracefs
    Record,
}

/// What is known of this kernel before anything is loaded.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The offsets.
    pub layout: KernelLayout,
    /// The hooks that this kernel has.
    pub hooks: Vec<Hook>,
    /// Names of `enum sk_rst_reason`, by this kernel's numbers.
    pub rst_reasons: HashMap<i32, String>,
    /// Whether a RST that no socket sends is reported: without it path A cannot be seen.
    pub sees_socketless_rst: bool,
    /// What is missing, and what that costs; one sentence each.
    pub limits: Vec<String>,
}

impl Kernel {
    /// Reads the BTF file and, where the form asks for them, the `format` files below the directory
    /// that `tracefs` finds.
    ///
    /// # Errors
    /// If a hook is missing without which no probe can be confirmed, or has another form.
    pub fn read(
        form: Form,
        btf_file: &Path,
        tracefs: impl FnOnce() -> Result<PathBuf, TraceError>,
    ) -> Result<Self, TraceError> {
        let mut kernel = Self {
            layout: KernelLayout::NONE,
            hooks: Vec::new(),
            rst_reasons: HashMap::new(),
            sees_socketless_rst: true,
            limits: Vec::new(),
        };
        let types = KernelTypes::read(btf_file);
        let is_raw = form != Form::Record && types.as_ref().is_some_and(|t| kernel.raw(t));
        if !is_raw {
            if matches!(form, Form::Raw | Form::Untyped) {
                return Err(TraceError::NoTypes(btf_file.to_owned()));
            }
            kernel.records(&tracefs()?)?;
        }
        kernel.types(types.as_ref(), btf_file);
        if !kernel.sees_socketless_rst {
            kernel.limits.push(
                "tcp_send_reset has no reset reasons on this kernel and is silent where no socket \
                 is left: a RST lost and recovered by SYN-ACK retransmit cannot be seen"
                    .to_owned(),
            );
        }
        Ok(kernel)
    }

    /// Whether hooks are raw tracepoints, whose programs are loaded by what BTF calls them.
    #[must_use]
    pub fn has_raw(&self) -> bool {
        self.hooks.iter().any(|hook| hook.category.is_none())
    }

    /// Changes of state are told otherwise: the tracepoint is not needed.
    pub(super) fn hears_own_states(&mut self) {
        self.hooks.retain(|hook| hook.tracepoint != SET_STATE.name);
    }

    /// Has RSTs read without the types of the arguments.
    pub(super) fn untype_resets(&mut self) {
        for hook in &mut self.hooks {
            hook.program = match hook.program {
                raw::CLOSE => "untyped_tcp_send_reset",
                raw::ANSWER => "untyped_tcp_send_reset_answer",
                other => other,
            };
        }
    }

    /// A hook that can be done without is not there.
    fn lacks(&mut self, hook: Tracepoint) {
        self.limits.push(format!("this kernel has no tracepoint {}: {}", hook.name, hook.price));
    }

    /// What BTF gives in either form: the segments that a socket sent, and what tells network
    /// namespaces apart.
    fn types(&mut self, types: Option<&KernelTypes>, btf_file: &Path) {
        self.layout.segs_out = types.and_then(KernelTypes::segs_out).unwrap_or(ABSENT);
        self.layout.total_retrans = types.and_then(KernelTypes::total_retrans).unwrap_or(ABSENT);
        let Some(offsets) = types.and_then(KernelTypes::netns_offsets) else {
            self.limits.push(format!(
                "{} is missing or has no net_cookie: the same addresses and ports in another \
                 network namespace could be taken for the agent's",
                btf_file.display()
            ));
            return;
        };
        self.layout.sock_net = offsets.sock_net;
        self.layout.net_cookie = offsets.net_cookie;
        self.layout.skb_dev = offsets.skb_dev;
        self.layout.dev_net = offsets.dev_net;
    }
}
