//! The ACK guard: keeps a probe's handshake half-open (`cgroup_skb/egress`).

use aya::{
    Ebpf,
    programs::{CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, cgroup_skb::CgroupSkbLink},
};

use crate::{cgroup::Cgroup, error::TraceError, program};

/// The name of the program.
pub(crate) const PROGRAM: &str = "ack_guard";

/// Attaches the guard to the agent's cgroup.
///
/// # Errors
/// If the kernel refuses.
pub(crate) fn attach(programs: &mut Ebpf, cgroup: &Cgroup) -> Result<CgroupSkbLink, TraceError> {
    let program: &mut CgroupSkb = program::named(programs, PROGRAM)?;
    program.load().map_err(|e| TraceError::from_aya(&e))?;
    // A link (since 5.7) always runs beside others; the kernel refuses the flag that says so.
    let link = program.attach(cgroup, CgroupSkbAttachType::Egress, CgroupAttachMode::Single);
    link.and_then(|link| program.take_link(link)).map_err(|e| TraceError::from_aya(&e))
}
