//! Addresses that belong to one lab alone.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use super::{End, LabError, Result};

/// Address family of a lab address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both families, for loops.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];
}

/// 198.18.0.0/15 is reserved for testing networks (RFC 2544, appendix C.2.2), so no host uses it for
/// anything else. Each lab takes one of its 512 blocks of 256 addresses.
const BLOCKS: u16 = 512;

/// The block of addresses of one lab, held until the value is dropped.
///
/// The claim is a name in the abstract Unix namespace: the kernel gives a name to one socket only
/// and frees it with that socket, even after SIGKILL. So labs of any number of processes never collide,
/// and nothing has to be cleaned up.
#[derive(Debug)]
pub(super) struct Subnet {
    block: u16,
    _claim: UnixListener,
}

impl Subnet {
    /// Claims a free block.
    ///
    /// # Errors
    /// [`LabError::Subnet`] if all of them are taken.
    pub(super) fn claim() -> Result<Self> {
        // A random start separates the processes of different containers. They do not see each other's
        // claims, but they share the host's tracepoints.
        let start = RandomState::new().build_hasher().finish() % u64::from(BLOCKS);
        let start = u16::try_from(start).unwrap_or_default();
        let mut last = io::Error::from(io::ErrorKind::AddrInUse);
        for step in 0..BLOCKS {
            let block = (start + step) % BLOCKS;
            match claim_block(block) {
                Ok(claim) => return Ok(Self { block, _claim: claim }),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
                Err(source) => return Err(LabError::Subnet { limit: BLOCKS, source }),
            }
        }
        Err(LabError::Subnet { limit: BLOCKS, source: last })
    }

    /// Address of one end of the veth pair.
    pub(super) const fn address(&self, end: End, family: Family) -> IpAddr {
        let host = match end {
            End::Client => 1,
            End::Server => 2,
        };
        address(self.block, family, 0, host)
    }

    /// The virtual address. It is outside the prefixes of the veth pair: its own route leads to it, never
    /// neighbour discovery.
    pub(super) const fn vip(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => address(self.block, family, 0, 200),
            Family::V6 => address(self.block, family, 1, 1),
        }
    }

    /// Length of the prefix of the veth pair, in bits.
    pub(super) const fn prefix(family: Family) -> u8 {
        match family {
            Family::V4 => 25,
            Family::V6 => 64,
        }
    }
}

fn claim_block(block: u16) -> io::Result<UnixListener> {
    let name = SocketAddr::from_abstract_name(format!("probe-agent-lab/{block}"))?;
    UnixListener::bind_addr(&name)
}

pub(super) const fn address(block: u16, family: Family, net: u16, host: u8) -> IpAddr {
    match family {
        Family::V4 => {
            let [high, low] = block.to_be_bytes();
            IpAddr::V4(Ipv4Addr::new(198, 18 + high, low, host))
        }
        // fd6c:6162 spells "lab" in a unique local prefix (RFC 4193).
        Family::V6 => IpAddr::V6(Ipv6Addr::new(0xfd6c, 0x6162, block, net, 0, 0, 0, host as u16)),
    }
}
