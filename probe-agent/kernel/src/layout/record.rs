//! The layout of tracepoint records, from tracefs `format` files.

use std::{
    io,
    path::{Path, PathBuf},
};

use probe_agent_common::{ABSENT, PrefixLayout, TupleLayout};

use super::{
    Hook, Kernel, RECEIVE_RESET, RETRANSMIT_SKB, RETRANSMIT_SYNACK, SEND_RESET, SET_STATE,
    Tracepoint,
};
use crate::{error::TraceError, format::Format};
use model::errno::in_words;

impl Kernel {
    /// Takes in the `format` files below `tracefs`.
    ///
    /// # Errors
    /// If a hook is missing without which no probe can be confirmed, or has another form.
    pub(super) fn records(&mut self, tracefs: &Path) -> Result<(), TraceError> {
        self.required(tracefs)?;
        self.layout.receive_reset = self.optional(tracefs, RECEIVE_RESET)?;
        self.layout.retransmit_skb = self.optional(tracefs, RETRANSMIT_SKB)?;
        self.layout.retransmit_synack = self.optional(tracefs, RETRANSMIT_SYNACK)?;
        Ok(())
    }

    /// The two hooks that every confirmation rests on.
    fn required(&mut self, tracefs: &Path) -> Result<(), TraceError> {
        let format = read(tracefs, SET_STATE)?.ok_or(TraceError::NoHook(SET_STATE.name))?;
        let get = |field| offset(&format, SET_STATE, field);
        self.layout.set_state.skaddr = get("skaddr")?;
        self.layout.set_state.old_state = get("oldstate")?;
        self.layout.set_state.new_state = get("newstate")?;
        self.layout.set_state.protocol = format.offset("protocol").unwrap_or(ABSENT);
        self.layout.set_state.tuple = tuple(&format, SET_STATE)?;

        let format = read(tracefs, SEND_RESET)?.ok_or(TraceError::NoHook(SEND_RESET.name))?;
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
        self.sees_socketless_rst = layout.reason != ABSENT;
        self.hooks.extend([hook(SET_STATE), hook(SEND_RESET)]);
        Ok(())
    }

    /// A hook that can be done without, at a price.
    fn optional(
        &mut self,
        tracefs: &Path,
        tracepoint: Tracepoint,
    ) -> Result<PrefixLayout, TraceError> {
        let Some(format) = read(tracefs, tracepoint)? else {
            self.lacks(tracepoint);
            return Ok(PrefixLayout::NONE);
        };
        self.hooks.push(hook(tracepoint));
        Ok(PrefixLayout {
            skaddr: offset(&format, tracepoint, "skaddr")?,
            state: format.offset("state").unwrap_or(ABSENT),
            err: format.offset("err").unwrap_or(ABSENT),
            tuple: tuple(&format, tracepoint)?,
        })
    }
}

/// The program for a tracepoint's record has the tracepoint's name.
fn hook(tracepoint: Tracepoint) -> Hook {
    Hook {
        program: tracepoint.name,
        category: Some(tracepoint.category),
        tracepoint: tracepoint.name,
        // All programs of such tracepoints shut the door to each other.
        skipping_loses: true,
    }
}

/// The format of a hook; `None` if this kernel does not have it.
fn read(tracefs: &Path, hook: Tracepoint) -> Result<Option<Format>, TraceError> {
    let path: PathBuf = tracefs.join("events").join(hook.category).join(hook.name).join("format");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Format::parse(&text))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TraceError::Format { path, source: in_words(source) }),
    }
}

fn offset(format: &Format, hook: Tracepoint, field: &'static str) -> Result<u16, TraceError> {
    format.offset(field).ok_or(TraceError::NoField { hook: hook.name, field })
}

fn tuple(format: &Format, hook: Tracepoint) -> Result<TupleLayout, TraceError> {
    Ok(TupleLayout {
        sport: offset(format, hook, "sport")?,
        dport: offset(format, hook, "dport")?,
        saddr_v6: offset(format, hook, "saddr_v6")?,
        daddr_v6: offset(format, hook, "daddr_v6")?,
    })
}
