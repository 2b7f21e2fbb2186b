//! Finds a program in the object.

use aya::{
    Ebpf,
    programs::{Program, ProgramError},
};

use crate::error::TraceError;

/// The program of a name.
///
/// # Errors
/// If the object has none, or one of another kind.
pub(crate) fn named<'a, P>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut P, TraceError>
where
    &'a mut P: TryFrom<&'a mut Program, Error = ProgramError>,
{
    any(programs, name)?.try_into().map_err(|e| TraceError::from_aya(&e))
}

/// The same, of whatever kind it is.
///
/// # Errors
/// If the object has none.
pub(crate) fn any<'a>(programs: &'a mut Ebpf, name: &str) -> Result<&'a mut Program, TraceError> {
    let missing = || TraceError::Load(format!("the object has no program {name}"));
    programs.program_mut(name).ok_or_else(missing)
}

/// Unloads the program of a name, if it is loaded.
pub(crate) fn unload(programs: &mut Ebpf, name: &str) {
    // Fails for one that is not loaded, which needs nothing done.
    let _ = match programs.program_mut(name) {
        Some(Program::BtfTracePoint(program)) => program.unload(),
        Some(Program::FEntry(program)) => program.unload(),
        Some(Program::CgroupSkb(program)) => program.unload(),
        Some(Program::SockOps(program)) => program.unload(),
        _ => return,
    };
}
