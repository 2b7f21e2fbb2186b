//! What BTF says of the running kernel: members of its structures, parameters of its functions and
//! tracepoints, names of its enumerators.

mod decode;
#[cfg(test)]
pub(crate) mod reduce;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use self::decode::{File, Kind, Type};

/// Where the kernel shows its own BTF.
pub(crate) const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

/// How deep structures are searched: no path of members in the kernel goes deeper.
const DEPTH: u32 = 16;

/// What a function or a tracepoint hands over in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// A pointer to a structure of this name, `const` or not.
    Pointer(String),
    /// An enum of this name.
    Enum(String),
    /// A plain number.
    Integer,
    /// Something else.
    Other,
}

/// The contents of a BTF file.
pub(crate) struct KernelTypes(File);

impl KernelTypes {
    /// Takes the contents of a BTF file; `None` if they are none.
    pub(crate) fn parse(bytes: Vec<u8>) -> Option<Self> {
        File::new(bytes).map(Self)
    }

    /// Offset in bytes of a path of members within a structure; `None` if it is not there.
    pub(crate) fn member(&self, structure: &str, path: &[&str]) -> Option<u16> {
        let mut found = self.0.named(Kind::Struct, structure);
        let bits = found.find_map(|outer| self.bits(outer, path, DEPTH))?;
        u16::try_from(bits / 8).ok()
    }

    /// The parameters of a function; `None` if there is none of this name.
    pub(crate) fn parameters(&self, function: &str) -> Option<Vec<Argument>> {
        let found = self.0.named(Kind::Func, function).next()?;
        self.arguments(self.0.get(found.target)?)
    }

    /// The arguments of a tracepoint; `None` if there is none of this name.
    ///
    /// `__BPF_DECLARE_TRACE` (`include/trace/bpf_probe.h`) leaves a type for this purpose:
    /// `typedef void (*btf_trace_NAME)(void *__data, ...)`.
    pub(crate) fn tracepoint(&self, name: &str) -> Option<Vec<Argument>> {
        let name = format!("btf_trace_{name}");
        let alias = self.0.named(Kind::Typedef, &name).next()?;
        let pointer = self.0.get(alias.target).filter(|found| found.kind == Kind::Ptr)?;
        let mut arguments = self.arguments(self.0.get(pointer.target)?)?;
        (!arguments.is_empty()).then(|| arguments.remove(0))?;
        Some(arguments)
    }

    /// The number of the type that describes a tracepoint; `None` if there is none of this name.
    pub(crate) fn tracepoint_number(&self, name: &str) -> Option<u32> {
        self.0.number(Kind::Typedef, &format!("btf_trace_{name}"))
    }

    /// The names of an enum's numbers; empty if there is none of this name.
    pub(crate) fn enumerators(&self, name: &str) -> HashMap<i32, String> {
        let mut found =
            [Kind::Enum, Kind::Enum64].into_iter().flat_map(|kind| self.0.named(kind, name));
        let members = found.next().into_iter().flat_map(|found| self.0.members(found));
        members.map(|m| (m.target.cast_signed(), self.0.name(m.name).to_owned())).collect()
    }

    fn arguments(&self, prototype: Type) -> Option<Vec<Argument>> {
        let is_prototype = prototype.kind == Kind::FuncProto;
        let parameters = self.0.members(prototype).map(|p| self.argument(p.target));
        is_prototype.then(|| parameters.collect())
    }

    /// The type of a parameter, without its qualifiers and aliases.
    fn argument(&self, number: u32) -> Argument {
        let name = |found: Type| self.0.name(found.name).to_owned();
        match self.resolved(number) {
            Some(found) => match found.kind {
                Kind::Int => Argument::Integer,
                Kind::Enum | Kind::Enum64 => Argument::Enum(name(found)),
                Kind::Ptr => match self.resolved(found.target) {
                    Some(target) if target.kind == Kind::Struct => Argument::Pointer(name(target)),
                    _ => Argument::Other,
                },
                _ => Argument::Other,
            },
            None => Argument::Other,
        }
    }

    /// The type behind qualifiers, tags and aliases.
    fn resolved(&self, mut number: u32) -> Option<Type> {
        for _ in 0..DEPTH {
            let found = self.0.get(number)?;
            match found.kind {
                Kind::Const | Kind::Volatile | Kind::Restrict | Kind::Typedef | Kind::TypeTag => {
                    number = found.target
                }
                _ => return Some(found),
            }
        }
        None
    }

    /// Offset in bits of the first name of `path` within `outer`, plus that of the rest within it.
    /// Anonymous structures and unions are searched, as C does.
    fn bits(&self, outer: Type, path: &[&str], depth: u32) -> Option<u32> {
        let (first, rest) = path.split_first()?;
        let depth = depth.checked_sub(1)?;
        self.0.members(outer).find_map(|member| {
            let inner = || {
                let found = self.resolved(member.target)?;
                matches!(found.kind, Kind::Struct | Kind::Union).then_some(found)
            };
            let within = if self.0.is_called(member.name, first) {
                if rest.is_empty() { Some(0) } else { self.bits(inner()?, rest, depth) }
            } else if self.0.name(member.name).is_empty() {
                self.bits(inner()?, path, depth)
            } else {
                None
            };
            member.bits.checked_add(within?)
        })
    }
}
