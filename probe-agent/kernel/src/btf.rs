//! Offsets of members of kernel structures, from BTF.

use std::{borrow::Cow, collections::HashMap, path::Path};

use btf_rs::{Btf, BtfType, Struct, Type};

/// Where the kernel shows its own BTF.
pub const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// Offsets that lead from a socket or a packet to the cookie of its network namespace, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetnsOffsets {
    /// `struct sock`, `__sk_common.skc_net`.
    pub sock_net: u16,
    /// `struct net`, `net_cookie`; a 64-bit number since 5.12.
    pub net_cookie: u16,
    /// `struct sk_buff`, `dev`.
    pub skb_dev: u16,
    /// `struct net_device`, `nd_net`.
    pub dev_net: u16,
}

/// What a raw tracepoint hands over in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument<'a> {
    /// A pointer to a structure of this name, `const` or not.
    Pointer(Cow<'a, str>),
    /// An enum of this name.
    Enum(Cow<'a, str>),
    /// A plain number.
    Integer,
    /// Something else.
    Other,
}

/// A BTF file, read once.
pub struct KernelTypes(Btf);

impl KernelTypes {
    /// Reads a BTF file; `None` if it is not there or is none.
    #[must_use]
    pub fn read(file: &Path) -> Option<Self> {
        // As a whole: the parser seeks for every type, and each seek of a file is a system call.
        Btf::from_bytes(&std::fs::read(file).ok()?).ok().map(Self)
    }

    /// Offset in bytes of a path of members within a structure; `None` if it is not there.
    #[must_use]
    pub fn member(&self, structure: &str, path: &[&str]) -> Option<u16> {
        member(&self.0, structure, path)
    }

    /// What the raw tracepoint of this name hands over; `None` if there is none.
    ///
    /// `__BPF_DECLARE_TRACE` (`include/trace/bpf_probe.h`) leaves a type for this purpose:
    /// `typedef void (*btf_trace_NAME)(void *__data, ...)`.
    #[must_use]
    pub fn arguments(&self, tracepoint: &str) -> Option<Vec<Argument<'static>>> {
        let btf = &self.0;
        let name = format!("btf_trace_{tracepoint}");
        let types = btf.resolve_types_by_name(&name).ok()?;
        let pointer = types.into_iter().find_map(|t| match t {
            Type::Typedef(alias) => btf.resolve_chained_type(&alias).ok(),
            _ => None,
        })?;
        let Type::Ptr(pointer) = pointer else { return None };
        let Type::FuncProto(function) = btf.resolve_chained_type(&pointer).ok()? else {
            return None;
        };
        Some(function.parameters.iter().skip(1).map(|p| argument(btf, p)).collect())
    }

    /// The names of an enum's numbers; empty if there is none of this name.
    #[must_use]
    pub fn enumerators(&self, name: &str) -> HashMap<i32, String> {
        let found = self.0.resolve_types_by_name(name).unwrap_or_default();
        let members = found.into_iter().find_map(|t| match t {
            Type::Enum(found) => Some(found.members),
            _ => None,
        });
        members
            .into_iter()
            .flatten()
            .filter_map(|m| Some((i32::try_from(m.val()).ok()?, self.0.resolve_name(&m).ok()?)))
            .collect()
    }

    /// Offset of `struct tcp_sock`, `segs_out`, a 32-bit number since 4.2.
    #[must_use]
    pub fn segs_out(&self) -> Option<u16> {
        member(&self.0, "tcp_sock", &["segs_out"])
    }

    /// Offset of `struct tcp_sock`, `total_retrans`, a 32-bit number.
    #[must_use]
    pub fn total_retrans(&self) -> Option<u16> {
        member(&self.0, "tcp_sock", &["total_retrans"])
    }

    /// What leads to a network namespace's cookie; `None` if a member is not there.
    #[must_use]
    pub fn netns_offsets(&self) -> Option<NetnsOffsets> {
        Some(NetnsOffsets {
            sock_net: member(&self.0, "sock", &["__sk_common", "skc_net"])?,
            net_cookie: member(&self.0, "net", &["net_cookie"])?,
            skb_dev: member(&self.0, "sk_buff", &["dev"])?,
            dev_net: member(&self.0, "net_device", &["nd_net"])?,
        })
    }
}

/// The type of a parameter, with its `const` and `typedef` taken off.
fn argument(btf: &Btf, of: &dyn BtfType) -> Argument<'static> {
    let name = |t: &dyn BtfType| btf.resolve_name(t).unwrap_or_default();
    match resolved(btf, of) {
        Some(Type::Int(_)) => Argument::Integer,
        Some(Type::Enum(found)) => Argument::Enum(name(&found).into()),
        Some(Type::Ptr(pointer)) => match resolved(btf, &pointer) {
            Some(Type::Struct(found)) => Argument::Pointer(name(&found).into()),
            _ => Argument::Other,
        },
        _ => Argument::Other,
    }
}

/// What a type refers to, past qualifiers and aliases.
fn resolved(btf: &Btf, of: &dyn BtfType) -> Option<Type> {
    let mut found = btf.resolve_chained_type(of).ok()?;
    loop {
        found = match &found {
            Type::Const(t) => btf.resolve_chained_type(t).ok()?,
            Type::Volatile(t) => btf.resolve_chained_type(t).ok()?,
            Type::Typedef(t) => btf.resolve_chained_type(t).ok()?,
            _ => return Some(found),
        };
    }
}

/// Offset of a path of members within a structure, in bytes.
fn member(btf: &Btf, structure: &str, path: &[&str]) -> Option<u16> {
    btf.resolve_types_by_name(structure).ok()?.into_iter().find_map(|t| match t {
        Type::Struct(s) => u16::try_from(bits(btf, &s, path)? / 8).ok(),
        _ => None,
    })
}

/// Offset in bits of the first name of `path` within `structure`, plus that of the rest within it.
/// Anonymous structures and unions are looked into, as C does.
fn bits(btf: &Btf, structure: &Struct, path: &[&str]) -> Option<u32> {
    let (first, rest) = path.split_first()?;
    for candidate in &structure.members {
        let name = btf.resolve_name(candidate).unwrap_or_default();
        let inner = match btf.resolve_chained_type(candidate).ok()? {
            Type::Struct(s) | Type::Union(s) => Some(s),
            _ => None,
        };
        let within = if name == *first {
            if rest.is_empty() { Some(0) } else { bits(btf, inner.as_ref()?, rest) }
        } else if name.is_empty() {
            inner.and_then(|s| bits(btf, &s, path))
        } else {
            None
        };
        if let Some(within) = within {
            return Some(candidate.bit_offset() + within);
        }
    }
    None
}
