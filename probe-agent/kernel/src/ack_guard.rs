//! The ACK guard: whether a probe's handshake is kept half-open, and if not, why.

use aya::{
    Ebpf,
    programs::{CgroupAttachMode, CgroupSkb, CgroupSkbAttachType},
};

use super::{cgroup::Cgroup, error::TraceError, program};
use model::record::HalfOpen;

/// The name of the program.
const PROGRAM: &str = "ack_guard";

/// Whether a bare ACK of a probe can leave this host.
#[derive(Debug)]
pub enum Guard {
    /// It cannot: the guard stands. The cgroup is left when this is dropped.
    Enforced(Cgroup),
    /// It can: the guard was not wanted.
    Off,
    /// It can: there is no guard, for this reason.
    Unavailable(String),
}

impl Guard {
    /// Joins a cgroup and attaches the guard to it. The program is let go with `programs`.
    pub(super) fn stand(programs: &mut Ebpf) -> Self {
        let cgroup = match Cgroup::join() {
            Ok(cgroup) => cgroup,
            Err(error) => return Self::Unavailable(format!("no cgroup to stand on: {error}")),
        };
        match attach(programs, &cgroup) {
            Ok(()) => Self::Enforced(cgroup),
            Err(error) => Self::Unavailable(error.to_string()),
        }
    }

    /// Whether a probe's handshake is kept half-open.
    #[must_use]
    pub const fn half_open(&self) -> HalfOpen {
        match self {
            Self::Enforced(_) => HalfOpen::Enforced,
            Self::Off | Self::Unavailable(_) => HalfOpen::NotEnforced,
        }
    }

    /// The cgroup that it stands on.
    pub(super) const fn cgroup(&self) -> Option<&Cgroup> {
        match self {
            Self::Enforced(cgroup) => Some(cgroup),
            Self::Off | Self::Unavailable(_) => None,
        }
    }

    /// The stable name: `enforced`, `off` or `unavailable`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Enforced(_) => "enforced",
            Self::Off => "off",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

fn attach(programs: &mut Ebpf, cgroup: &Cgroup) -> Result<(), TraceError> {
    let program: &mut CgroupSkb = program::named(programs, PROGRAM)?;
    program.load().map_err(|e| TraceError::from_aya(&e))?;
    // A link (since 5.7) always stands beside others; the flag that says so is refused for it.
    program
        .attach(cgroup, CgroupSkbAttachType::Egress, CgroupAttachMode::Single)
        .map_err(|e| TraceError::from_aya(&e))?;
    Ok(())
}
