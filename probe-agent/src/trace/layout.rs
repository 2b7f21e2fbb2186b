//! Puts together the [`KernelLayout`] of the running kernel, and says what it cannot give.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use probe_agent_common::{ABSENT, KernelLayout, PrefixLayout, TupleLayout};

use super::{btf::KernelTypes, error::TraceError, format::Format};
use crate::words::in_words;

/// A hook of the agent: category and name of its tracepoint. The program has the same name.
pub type Hook = (&'static str, &'static str);

const SET_STATE: Hook = ("sock", "inet_sock_set_state");
const SEND_RESET: Hook = ("tcp", "tcp_send_reset");
const RECEIVE_RESET: Hook = ("tcp", "tcp_receive_reset");
const RETRANSMIT_SKB: Hook = ("tcp", "tcp_retransmit_skb");
const RETRANSMIT_SYNACK: Hook = ("tcp", "tcp_retransmit_synack");

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
    /// Reads the `format` files below `tracefs` and the BTF file.
    ///
    /// # Errors
    /// If a hook is missing without which no probe can be confirmed, or has another form.
    pub fn read(tracefs: &Path, btf_file: &Path) -> Result<Self, TraceError> {
        let mut kernel = Self {
            layout: KernelLayout::NONE,
            hooks: vec![SET_STATE, SEND_RESET],
            rst_reasons: HashMap::new(),
            sees_socketless_rst: true,
            limits: Vec::new(),
        };
        kernel.required(tracefs)?;
        kernel.layout.receive_reset =
            kernel.optional(tracefs, RECEIVE_RESET, "a refusal is inferred from its errno")?;
        kernel.layout.retransmit_skb = kernel.optional(
            tracefs,
            RETRANSMIT_SKB,
            "a lost SYN shows as a slow handshake only",
        )?;
        kernel.layout.retransmit_synack = kernel.optional(
            tracefs,
            RETRANSMIT_SYNACK,
            "a server on this host is not seen sending its SYN-ACK again",
        )?;
        kernel.types(btf_file);
        Ok(kernel)
    }

    /// The two hooks that every confirmation rests on.
    fn required(&mut self, tracefs: &Path) -> Result<(), TraceError> {
        let format = read(tracefs, SET_STATE)?.ok_or(TraceError::NoHook(SET_STATE.1))?;
        let get = |field| offset(&format, SET_STATE, field);
        self.layout.set_state.skaddr = get("skaddr")?;
        self.layout.set_state.old_state = get("oldstate")?;
        self.layout.set_state.new_state = get("newstate")?;
        self.layout.set_state.protocol = format.offset("protocol").unwrap_or(ABSENT);
        self.layout.set_state.tuple = tuple(&format, SET_STATE)?;

        let format = read(tracefs, SEND_RESET)?.ok_or(TraceError::NoHook(SEND_RESET.1))?;
        let get = |field| offset(&format, SEND_RESET, field);
        let layout = &mut self.layout.send_reset;
        layout.skbaddr = get("skbaddr")?;
        layout.skaddr = get("skaddr")?;
        layout.state = get("state")?;
        layout.reason = format.offset("reason").unwrap_or(ABSENT);
        if format.offset("sport").is_some() {
            layout.tuple = tuple(&format, SEND_RESET)?;
        } else {
            layout.saddr_sockaddr = get("saddr")?;
            layout.daddr_sockaddr = get("daddr")?;
        }
        self.rst_reasons = format.symbols("reason");
        if layout.reason == ABSENT {
            self.sees_socketless_rst = false;
            self.limits.push(
                "tcp_send_reset has no reset reasons on this kernel and is silent where no socket \
                 is left: a RST lost and recovered by SYN-ACK retransmit cannot be seen"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// A hook that can be done without, at a price.
    fn optional(
        &mut self,
        tracefs: &Path,
        hook: Hook,
        price: &str,
    ) -> Result<PrefixLayout, TraceError> {
        let Some(format) = read(tracefs, hook)? else {
            self.limits.push(format!("this kernel has no tracepoint {}: {price}", hook.1));
            return Ok(PrefixLayout::NONE);
        };
        self.hooks.push(hook);
        Ok(PrefixLayout {
            skaddr: offset(&format, hook, "skaddr")?,
            state: format.offset("state").unwrap_or(ABSENT),
            err: format.offset("err").unwrap_or(ABSENT),
            tuple: tuple(&format, hook)?,
        })
    }

    /// What BTF gives: the segments that a socket sent, and what tells network namespaces apart.
    fn types(&mut self, btf_file: &Path) {
        let types = KernelTypes::read(btf_file);
        self.layout.segs_out = types.as_ref().and_then(KernelTypes::segs_out).unwrap_or(ABSENT);
        let Some(offsets) = types.and_then(|t| t.netns_offsets()) else {
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

/// The format of a hook; `None` if this kernel does not have it.
fn read(tracefs: &Path, hook: Hook) -> Result<Option<Format>, TraceError> {
    let path: PathBuf = tracefs.join("events").join(hook.0).join(hook.1).join("format");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Format::parse(&text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TraceError::Format { path, source: in_words(source) }),
    }
}

fn offset(format: &Format, hook: Hook, field: &'static str) -> Result<u16, TraceError> {
    format.offset(field).ok_or(TraceError::NoField { hook: hook.1, field })
}

fn tuple(format: &Format, hook: Hook) -> Result<TupleLayout, TraceError> {
    Ok(TupleLayout {
        sport: offset(format, hook, "sport")?,
        dport: offset(format, hook, "dport")?,
        saddr_v6: offset(format, hook, "saddr_v6")?,
        daddr_v6: offset(format, hook, "daddr_v6")?,
    })
}
