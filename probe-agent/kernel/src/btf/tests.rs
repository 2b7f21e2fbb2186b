use std::{collections::HashMap, fs};

use super::{Argument, KernelTypes, VMLINUX};

/// A BTF file in the making.
struct Blob {
    types: Vec<u8>,
    names: Vec<u8>,
}

impl Blob {
    fn new() -> Self {
        Self { types: Vec::new(), names: vec![0] }
    }

    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = u32::try_from(self.names.len()).unwrap();
        self.names.extend_from_slice(name.as_bytes());
        self.names.push(0);
        at
    }

    fn words(&mut self, words: &[u32]) {
        self.types.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
    }

    /// Adds a type of a kind (`BTF_KIND_*`), with so many members.
    fn head(&mut self, kind: u32, name: &str, members: u32, target: u32) {
        let name = self.name(name);
        self.words(&[name, kind << 24 | members, target]);
    }

    /// Adds a member of a structure or an enumerator, or a parameter with one word less.
    fn member(&mut self, name: &str, rest: &[u32]) {
        let name = self.name(name);
        self.words(&[name]);
        self.words(rest);
    }

    fn bytes(&self) -> Vec<u8> {
        let (types, names) = (self.types.len(), self.names.len());
        let [types, names] = [types, names].map(|length| u32::try_from(length).unwrap());
        let mut bytes = 0xeb9f_u16.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let header = [24_u32, 0, types, types, names];
        bytes.extend(header.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.extend(&self.types);
        bytes.extend(&self.names);
        bytes
    }
}

/// Some types, by their numbers:
/// 1 `int`, 2 anonymous `union { int a; int b; }`, 3 `struct sock`, 4 `const struct sock`, 5 a pointer to
/// that, 6 `enum reason`, 7 `void (*)(void *, const struct sock *, enum reason, int)`, 8 a pointer to that,
/// 9 `btf_trace_reset`, 10 `enum wide` of 64 bits, 11 the prototype and 12 the function `send`.
fn sample() -> Blob {
    let mut blob = Blob::new();
    blob.head(1, "int", 0, 4);
    blob.words(&[0x0100_0020]);
    blob.head(5, "", 2, 4);
    blob.member("a", &[1, 0]);
    blob.member("b", &[1, 0]);
    // With the flag for bit fields: `flag` has 3 bits at 64, then comes the union at 96.
    blob.head(4 | 0x80, "sock", 3, 16);
    blob.member("first", &[1, 0]);
    blob.member("flag", &[1, 3 << 24 | 64]);
    blob.member("", &[2, 96]);
    blob.head(10, "", 0, 3);
    blob.head(2, "", 0, 4);
    blob.head(6, "reason", 2, 4);
    blob.member("NONE", &[0]);
    blob.member("MINUS", &[u32::MAX]);
    blob.head(13, "", 4, 0);
    for target in [0, 5, 6, 1] {
        blob.member("", &[target]);
    }
    blob.head(2, "", 0, 7);
    blob.head(8, "btf_trace_reset", 0, 8);
    blob.head(19, "wide", 1, 8);
    blob.member("SEVEN", &[7, 0]);
    blob.head(13, "", 2, 0);
    blob.member("sk", &[5]);
    blob.member("n", &[1]);
    blob.head(12, "send", 0, 11);
    blob
}

fn types() -> KernelTypes {
    KernelTypes::parse(sample().bytes()).unwrap()
}

#[test]
fn members_are_found_through_anonymous_ones() {
    let types = types();
    assert_eq!(types.member("sock", &["first"]), Some(0));
    assert_eq!(types.member("sock", &["flag"]), Some(8));
    assert_eq!(types.member("sock", &["b"]), Some(12));
    assert_eq!(types.member("sock", &["c"]), None);
    assert_eq!(types.member("sock", &["first", "b"]), None);
    assert_eq!(types.member("sock", &[]), None);
    assert_eq!(types.member("soc", &["first"]), None);
}

#[test]
fn arguments_are_told_by_what_they_are() {
    let socket = || Argument::Pointer("sock".to_owned());
    let types = types();
    assert_eq!(types.parameters("send"), Some(vec![socket(), Argument::Integer]));
    let reason = Argument::Enum("reason".to_owned());
    assert_eq!(types.tracepoint("reset"), Some(vec![socket(), reason, Argument::Integer]));
    assert_eq!(types.tracepoint_number("reset"), Some(9));
    assert_eq!(types.tracepoint_number("send"), None);
    assert_eq!(types.parameters("reset"), None);
    assert_eq!(types.tracepoint("send"), None);
}

#[test]
fn enumerators_of_either_width_have_names() {
    let named = |n: i32, name: &str| HashMap::from([(n, name.to_owned())]);
    let types = types();
    let mut both = named(0, "NONE");
    both.extend(named(-1, "MINUS"));
    assert_eq!(types.enumerators("reason"), both);
    assert_eq!(types.enumerators("wide"), named(7, "SEVEN"));
    assert_eq!(types.enumerators("sock"), HashMap::new());
}

/// Asks for everything: nothing may panic or run without end, whatever the answers are.
fn ask(types: &KernelTypes) {
    let _ = types.member("sock", &["a", "b"]);
    let _ = types.member("sock", &["b"]);
    let _ = types.parameters("send");
    let _ = types.tracepoint("reset");
    let _ = types.enumerators("reason");
}

#[test]
fn garbage_is_refused_or_harmless() {
    let bytes = sample().bytes();
    assert!(KernelTypes::parse(Vec::new()).is_none());
    assert!(KernelTypes::parse(vec![0; 64]).is_none());
    for length in 0..bytes.len() {
        assert!(KernelTypes::parse(bytes[..length].to_vec()).is_none(), "{length}");
    }
    for at in 0..bytes.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            if let Some(types) = KernelTypes::parse(bytes) {
                ask(&types);
            }
        }
    }
}

#[test]
fn types_that_refer_to_themselves_end() {
    let mut blob = Blob::new();
    // A structure whose anonymous member is itself, and a qualifier of itself.
    blob.head(4, "sock", 1, 4);
    blob.member("", &[1, 0]);
    blob.head(10, "", 0, 2);
    blob.head(13, "", 1, 0);
    blob.member("", &[2]);
    blob.head(12, "send", 0, 3);
    let types = KernelTypes::parse(blob.bytes()).unwrap();
    assert_eq!(types.member("sock", &["b"]), None);
    assert_eq!(types.parameters("send"), Some(vec![Argument::Other]));
}

#[test]
fn the_running_kernels_own_is_understood() {
    let Ok(bytes) = fs::read(VMLINUX) else {
        eprintln!("skipped: this kernel has no {VMLINUX}");
        return;
    };
    let types = KernelTypes::parse(bytes).unwrap();
    assert_eq!(types.member("sock", &["__sk_common"]), Some(0));
    let family = types.member("sock_common", &["skc_family"]).unwrap();
    assert_eq!(types.member("sock", &["__sk_common", "skc_family"]), Some(family));
    assert!(types.member("sk_buff", &["head"]).is_some_and(|at| at > 0));
    let socket = Argument::Pointer("sock".to_owned());
    assert_eq!(types.tracepoint("tcp_receive_reset"), Some(vec![socket.clone()]));
    assert!(types.parameters("tcp_v4_send_reset").unwrap().starts_with(&[socket]));
}
