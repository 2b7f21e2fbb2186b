//! Reduces a BTF file to the types that [`crate::layout`] asks for, for files that tests can carry.
//!
//! Functions, tracepoints and enums are kept whole. Of a structure, size and anonymous members are kept, and of
//! the named members those that [`ASKED`] lists. If the layout asks for one more, it must be listed there; a test
//! compares what it finds in a whole file and in the reduced one.

use std::collections::HashMap;

use super::decode::{File, Kind};

/// The structures, and the members that are kept of them.
const ASKED: [(&str, &[&str]); 10] = [
    ("sock", &["__sk_common", "sk_protocol"]),
    ("request_sock", &["__req_common"]),
    (
        "sock_common",
        &[
            "skc_family",
            "skc_state",
            "skc_num",
            "skc_dport",
            "skc_rcv_saddr",
            "skc_daddr",
            "skc_v6_rcv_saddr",
            "skc_v6_daddr",
            "skc_net",
        ],
    ),
    ("tcp_sock", &["segs_out", "total_retrans", "snd_nxt", "rcv_nxt", "srtt_us"]),
    ("tcp_request_sock", &["rcv_isn", "snt_isn"]),
    ("sk_buff", &["head", "network_header", "transport_header", "cb", "dev", "sk"]),
    ("tcp_skb_cb", &["tcp_flags"]),
    ("net_device", &["nd_net", "ifindex"]),
    ("net", &["net_cookie"]),
    ("in6_addr", &[]),
];

/// What is asked for by name: functions, tracepoints and enums.
pub(crate) struct Names<'a> {
    /// Functions.
    pub(crate) functions: &'a [&'a str],
    /// Tracepoints.
    pub(crate) tracepoints: &'a [&'a str],
    /// Enums.
    pub(crate) enums: &'a [&'a str],
}

/// The reduced file; `None` if `bytes` are no BTF.
pub(crate) fn reduce(bytes: Vec<u8>, names: &Names<'_>) -> Option<Vec<u8>> {
    let file = File::new(bytes)?;
    let mut kept = Kept { file: &file, numbers: HashMap::new(), types: Vec::new(), names: vec![0] };
    for (structure, _) in ASKED {
        kept.keep_all(Kind::Struct, structure);
    }
    for name in names.enums {
        kept.keep_all(Kind::Enum, name);
        kept.keep_all(Kind::Enum64, name);
    }
    for name in names.functions {
        kept.keep_all(Kind::Func, name);
    }
    for name in names.tracepoints {
        kept.keep_all(Kind::Typedef, &format!("btf_trace_{name}"));
    }
    Some(kept.finish())
}

struct Kept<'a> {
    file: &'a File,
    /// New numbers, by the old ones.
    numbers: HashMap<u32, u32>,
    /// The new types, less 1.
    types: Vec<Vec<u32>>,
    names: Vec<u8>,
}

impl Kept<'_> {
    fn keep_all(&mut self, kind: Kind, name: &str) {
        for number in self.file.numbers(kind, name) {
            self.keep(number, &[]);
        }
    }

    /// Keeps a type and those that it refers to. `asked` are the members to keep if it is an anonymous
    /// structure.
    fn keep(&mut self, old: u32, asked: &[&str]) -> u32 {
        let Some(found) = self.file.get(old) else { return 0 };
        if let Some(new) = self.numbers.get(&old) {
            return *new;
        }
        self.types.push(Vec::new());
        let new = u32::try_from(self.types.len()).unwrap();
        self.numbers.insert(old, new);
        let mut words = self.file.words(old);
        let is_named = words[0] != 0;
        words[0] = self.name(words[0]);
        match found.kind {
            Kind::Ptr
            | Kind::Typedef
            | Kind::Volatile
            | Kind::Const
            | Kind::Restrict
            | Kind::Func
            | Kind::TypeTag => words[2] = self.keep(words[2], asked),
            Kind::Array => {
                for word in &mut words[3..5] {
                    *word = self.keep(*word, asked);
                }
            }
            Kind::FuncProto => {
                words[2] = self.keep(words[2], &[]);
                for parameter in words[3..].chunks_mut(2) {
                    parameter[0] = self.name(parameter[0]);
                    parameter[1] = self.keep(parameter[1], &[]);
                }
            }
            Kind::Struct | Kind::Union => {
                let own = ASKED.iter().find(|(name, _)| self.file.is_called(found.name, name));
                let asked = if is_named { own.map_or(&[][..], |(_, asked)| *asked) } else { asked };
                let is_kept = |name: u32| {
                    let name = self.file.name(name);
                    name.is_empty() || asked.contains(&name)
                };
                let members: Vec<_> =
                    words[3..].chunks(3).filter(|m| is_kept(m[0])).map(<[u32]>::to_vec).collect();
                words[1] = words[1] & !0xffff | u32::try_from(members.len()).unwrap();
                words.truncate(3);
                for member in members {
                    words.extend([self.name(member[0]), self.keep(member[1], asked), member[2]]);
                }
            }
            Kind::Enum => words[3..].chunks_mut(2).for_each(|m| m[0] = self.name(m[0])),
            Kind::Enum64 => words[3..].chunks_mut(3).for_each(|m| m[0] = self.name(m[0])),
            Kind::Int | Kind::Fwd | Kind::Float => {}
            // Nothing refers to these.
            Kind::Var | Kind::Datasec | Kind::DeclTag => unreachable!("{:?}", found.kind),
        }
        self.types[new as usize - 1] = words;
        new
    }

    fn name(&mut self, old: u32) -> u32 {
        let name = self.file.name(old).as_bytes();
        if name.is_empty() {
            return 0;
        }
        let wanted = [&[0], name, &[0]].concat();
        let at = self.names.windows(wanted.len()).position(|found| found == wanted);
        let at = at.unwrap_or_else(|| {
            self.names.extend(&wanted[1..]);
            self.names.len() - wanted.len()
        });
        u32::try_from(at + 1).unwrap()
    }

    fn finish(self) -> Vec<u8> {
        let types: Vec<u8> =
            self.types.concat().iter().flat_map(|word| word.to_ne_bytes()).collect();
        let [length, names] = [types.len(), self.names.len()].map(|n| u32::try_from(n).unwrap());
        let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let header = [24, 0, length, length, names];
        bytes.extend(header.iter().flat_map(|word: &u32| word.to_ne_bytes()));
        [bytes, types, self.names].concat()
    }
}
