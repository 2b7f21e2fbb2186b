//! The BTF format (`include/uapi/linux/btf.h`, Documentation/bpf/btf.rst), as far as it is needed here.
//!
//! Nothing is copied and nothing is trusted: each read is bounds-checked, and what does not fit ends in
//! `None`.

/// `BTF_MAGIC`. In the byte order of this host: the kernel's own file has no other.
const MAGIC: u16 = 0xeb9f;

/// `struct btf_header` of version 1. A longer one begins in the same way.
const HEADER: usize = 24;

/// `struct btf_type`.
const TYPE: usize = 12;

/// `BTF_KIND_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
}

impl Kind {
    /// In the order of their numbers, from 1.
    const ALL: [Self; 19] = [
        Self::Int,
        Self::Ptr,
        Self::Array,
        Self::Struct,
        Self::Union,
        Self::Enum,
        Self::Fwd,
        Self::Typedef,
        Self::Volatile,
        Self::Const,
        Self::Restrict,
        Self::Func,
        Self::FuncProto,
        Self::Var,
        Self::Datasec,
        Self::Float,
        Self::DeclTag,
        Self::TypeTag,
        Self::Enum64,
    ];

    /// How many bytes follow a type of this kind that has `members` members.
    const fn trailing(self, members: usize) -> usize {
        match self {
            Self::Int | Self::Var | Self::DeclTag => 4,
            Self::Array => 12,
            Self::Struct | Self::Union | Self::Datasec | Self::Enum64 => members * 12,
            Self::Enum | Self::FuncProto => members * 8,
            Self::Ptr
            | Self::Fwd
            | Self::Typedef
            | Self::Volatile
            | Self::Const
            | Self::Restrict
            | Self::Func
            | Self::Float
            | Self::TypeTag => 0,
        }
    }
}

/// One type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) kind: Kind,
    /// Where its name is.
    pub(super) name: u32,
    /// Its size, or the number of the type that it refers to.
    pub(super) target: u32,
    /// Members, parameters or enumerators.
    pub(super) members: usize,
    /// Whether the offsets of its members share their word with the size of a bit field.
    has_bit_fields: bool,
    /// Where its members begin.
    at: usize,
}

/// A member of a structure, a parameter of a function or an enumerator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) name: u32,
    /// Number of its type; of an enumerator, the low half of its value.
    pub(super) target: u32,
    /// Offset in bits, of a member of a structure only.
    pub(super) bits: u32,
}

/// A BTF file.
pub(super) struct File {
    bytes: Vec<u8>,
    /// Where each type begins, by its number less 1.
    types: Vec<u32>,
    /// Where the names begin and end.
    names: (usize, usize),
}

impl File {
    /// Finds the types; `None` if this is no BTF, or if it has a kind of type that is not known and cannot
    /// be passed over.
    pub(super) fn new(bytes: Vec<u8>) -> Option<Self> {
        let word = |at| u32_at(&bytes, at).map(|value| value as usize);
        let magic: [u8; 2] = bytes.get(..2)?.try_into().ok()?;
        let header = word(4)?;
        if u16::from_ne_bytes(magic) != MAGIC || header < HEADER {
            return None;
        }
        let section = |offset, length| {
            let start = header.checked_add(word(offset)?)?;
            let end = start.checked_add(word(length)?)?;
            (end <= bytes.len()).then_some((start, end))
        };
        let (mut at, end) = section(8, 12)?;
        let names = section(16, 20)?;
        // Most types take 12 to 24 bytes.
        let mut types = Vec::with_capacity((end - at) / 20);
        while at < end {
            let found = type_at(&bytes, at)?;
            types.push(u32::try_from(at).ok()?);
            at = found.at.checked_add(found.kind.trailing(found.members))?;
        }
        (at == end).then_some(Self { bytes, types, names })
    }

    /// The type of a number; `None` for `void`, which is 0, and for one that is not there.
    pub(super) fn get(&self, number: u32) -> Option<Type> {
        let at = *self.types.get((number as usize).checked_sub(1)?)?;
        type_at(&self.bytes, at as usize)
    }

    /// The types of a kind and name.
    pub(super) fn named<'a>(
        &'a self,
        kind: Kind,
        name: &'a str,
    ) -> impl Iterator<Item = Type> + 'a {
        let all = self.types.iter().filter_map(|at| type_at(&self.bytes, *at as usize));
        all.filter(move |found| found.kind == kind && self.is_called(found.name, name))
    }

    /// The number of the first type of a kind and name.
    pub(super) fn number(&self, kind: Kind, name: &str) -> Option<u32> {
        let is_it = |found: Type| found.kind == kind && self.is_called(found.name, name);
        (1..).zip(&self.types).find_map(|(number, at)| {
            type_at(&self.bytes, *at as usize).filter(|found| is_it(*found)).map(|_| number)
        })
    }

    /// The numbers of all types of a kind and name.
    #[cfg(test)]
    pub(super) fn numbers(&self, kind: Kind, name: &str) -> Vec<u32> {
        let is_it = |found: Type| found.kind == kind && self.is_called(found.name, name);
        let all = 1..=u32::try_from(self.types.len()).unwrap();
        all.filter(|number| self.get(*number).is_some_and(is_it)).collect()
    }

    /// A type as it is in the file.
    #[cfg(test)]
    pub(super) fn words(&self, number: u32) -> Vec<u32> {
        let found = self.get(number).unwrap();
        let end = found.at + found.kind.trailing(found.members);
        (found.at - TYPE..end).step_by(4).map(|at| u32_at(&self.bytes, at).unwrap()).collect()
    }

    /// The members, parameters or enumerators of a type.
    pub(super) fn members(&self, of: Type) -> impl Iterator<Item = Member> {
        let size = of.kind.trailing(1);
        (0..of.members).map_while(move |index| {
            let at = of.at + index * size;
            let name = u32_at(&self.bytes, at)?;
            let target = u32_at(&self.bytes, at + 4)?;
            let bits = match of.kind {
                Kind::Struct | Kind::Union => u32_at(&self.bytes, at + 8)?,
                _ => 0,
            };
            let bits = if of.has_bit_fields { bits & 0x00ff_ffff } else { bits };
            Some(Member { name, target, bits })
        })
    }

    /// A name; empty if there is none.
    pub(super) fn name(&self, offset: u32) -> &str {
        let name = self.rest(offset).split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(name).unwrap_or_default()
    }

    /// Whether a name is this one.
    pub(super) fn is_called(&self, offset: u32, name: &str) -> bool {
        self.rest(offset).strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&0))
    }

    /// The names from an offset on.
    fn rest(&self, offset: u32) -> &[u8] {
        let (start, end) = self.names;
        let start = start.saturating_add(offset as usize);
        self.bytes.get(start..end).unwrap_or_default()
    }
}

fn type_at(bytes: &[u8], at: usize) -> Option<Type> {
    let (name, info, target) = (u32_at(bytes, at)?, u32_at(bytes, at + 4)?, u32_at(bytes, at + 8)?);
    let number = (info >> 24 & 0x1f) as usize;
    let kind = *Kind::ALL.get(number.checked_sub(1)?)?;
    let members = (info & 0xffff) as usize;
    Some(Type { kind, name, target, members, has_bit_fields: info >> 31 == 1, at: at + TYPE })
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(word.try_into().ok()?))
}
