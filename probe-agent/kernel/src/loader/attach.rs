//! Loads one program into the kernel and attaches it.

use aya::{
    Ebpf,
    programs::{
        Program, ProgramError, cgroup_skb::CgroupSkbLink, fentry::FEntryLink,
        sock_ops::SockOpsLink, tp_btf::BtfTracePointLink,
    },
};
use probe_agent_common::{Hook, HookKind};

use super::facts::Types;
use crate::{error::TraceError, layout, program};

/// An attached program; dropping it detaches it.
#[expect(dead_code, reason = "held for its drop")]
pub(super) enum Link {
    Tracepoint(BtfTracePointLink),
    Function(FEntryLink),
    AckGuard(CgroupSkbLink),
    SockOps(SockOpsLink),
}

/// Loads a hook's program and attaches it.
///
/// # Errors
/// If this kernel does not have what the hook is attached to, or refuses the program.
pub(super) fn attach(
    programs: &mut Ebpf,
    hook: &Hook,
    Types { types, numbers }: &Types,
) -> Result<Link, TraceError> {
    let kind = match hook.kind {
        HookKind::Tracepoint => "tracepoint",
        HookKind::Function => "function",
    };
    let missing = || TraceError::Load(format!("this kernel has no {kind} {}", hook.target));
    let arguments = layout::arguments(types, hook).ok_or_else(missing)?;
    if !layout::fit(&arguments, hook) {
        let other = format!("the {kind} {} of this kernel has other arguments", hook.target);
        return Err(TraceError::Load(other));
    }
    let refused = |e: ProgramError| TraceError::from_aya(&e);
    match program::any(programs, hook.program)? {
        Program::BtfTracePoint(program) => {
            program.load(hook.target, numbers).map_err(refused)?;
            let link = program.attach().map_err(refused)?;
            program.take_link(link).map(Link::Tracepoint).map_err(refused)
        }
        Program::FEntry(program) => {
            program.load(hook.target, numbers).map_err(refused)?;
            let link = program.attach().map_err(refused)?;
            program.take_link(link).map(Link::Function).map_err(refused)
        }
        _ => Err(TraceError::Load(format!("{} is of another kind in the object", hook.program))),
    }
}
