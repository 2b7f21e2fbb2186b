//! Loads programs into the kernel and attaches them.

use std::{os::fd::AsFd, thread};

use aya::{
    Btf, Ebpf,
    programs::{
        BtfTracePoint, Program, ProgramError, raw_trace_point::RawTracePointLink,
        tp_btf::BtfTracePointLink, trace_point::TracePointLink,
    },
};

use super::super::{error::TraceError, layout::Hook, misses::Misses, program};

/// Whether the verifier knows that the arguments of `tcp_send_reset` may be 0: it refuses to load from
/// them unasked.
pub(super) fn knows_null(programs: &mut Ebpf, types: &Btf) -> Result<bool, TraceError> {
    for name in ["nullable_socket", "nullable_packet"] {
        let program: &mut BtfTracePoint = program::named(programs, name)?;
        if program.load("tcp_send_reset", types).is_ok() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Loads a hook's program and attaches it.
pub(super) fn attach(
    programs: &mut Ebpf,
    hook: &Hook,
    types: Option<&Btf>,
    misses: &mut Misses,
) -> Result<Link, TraceError> {
    let program = program::any(programs, hook.program)?;
    let refused = |e: ProgramError| TraceError::from_aya(&e);
    let link = match (program, hook.category, types) {
        (Program::BtfTracePoint(program), None, Some(types)) => {
            program.load(hook.tracepoint, types).map_err(refused)?;
            let link = program.attach().map_err(refused)?;
            Link::Raw(program.take_link(link).map_err(refused)?)
        }
        (Program::RawTracePoint(program), None, _) => {
            program.load().map_err(refused)?;
            let link = program.attach(hook.tracepoint).map_err(refused)?;
            Link::Untyped(program.take_link(link).map_err(refused)?)
        }
        (Program::TracePoint(program), Some(category), _) => {
            program.load().map_err(refused)?;
            let link = program.attach(category, hook.tracepoint).map_err(refused)?;
            Link::Record(program.take_link(link).map_err(refused)?)
        }
        _ => return Err(TraceError::Load(format!("{} is no such program", hook.program))),
    };
    if hook.skipping_loses {
        let program = programs.program(hook.program).map(Program::fd);
        let program = program.and_then(Result::ok).ok_or(TraceError::NoHook(hook.tracepoint))?;
        let untold = |e| TraceError::Load(format!("/proc does not tell of {}: {e}", hook.program));
        misses.watch(program.as_fd()).map_err(untold)?;
    }
    Ok(link)
}

/// An attached hook: held for its drop.
#[expect(dead_code, reason = "held for its drop")]
pub(super) enum Link {
    Raw(BtfTracePointLink),
    Untyped(RawTracePointLink),
    Record(TracePointLink),
}

/// The attached hooks.
///
/// The kernel waits for a grace period of RCU each time that a tracepoint is let go (some 80 ms), so
/// that they are let go all at once.
#[derive(Default)]
pub(super) struct Links(pub(super) Vec<Link>);

impl Drop for Links {
    fn drop(&mut self) {
        thread::scope(|scope| {
            for link in self.0.drain(..) {
                scope.spawn(|| drop(link));
            }
        });
    }
}
