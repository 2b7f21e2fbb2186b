//! The layouts of recorded kernels.
//!
//! `tests/VERSION.btf` is the BTF of a kernel, reduced to what the layout asks for; `tests/VERSION.txt` is what
//! the layout code found in the whole of it. `cargo xtask btf` makes both again.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use probe_agent_common::{ABSENT, HOOKS, HookKind, RST_FUNCTIONS, RST_TRACEPOINT, SET_STATE};

use super::*;
use crate::btf::{
    VMLINUX,
    reduce::{Names, reduce},
};

/// The recorded kernels.
const VERSIONS: [&str; 3] = ["6.1", "6.12", "6.18"];

/// Where `cargo xtask btf` puts the whole files.
const WHOLE: &str = "PROBE_AGENT_BTF";

fn hooks() -> Vec<Hook> {
    let all = [&HOOKS[..], &[RETRANSMIT_SKB, SET_STATE], &RST_TRACEPOINT, &RST_FUNCTIONS];
    all.concat()
}

fn reduced(whole: Vec<u8>) -> Vec<u8> {
    let of = |kind| -> Vec<_> {
        hooks().iter().filter(|hook| hook.kind == kind).map(|hook| hook.target).collect()
    };
    let (functions, tracepoints) = (of(HookKind::Function), of(HookKind::Tracepoint));
    let enums = &[REASON, DROP];
    reduce(whole, &Names { functions: &functions, tracepoints: &tracepoints, enums }).unwrap()
}

/// All that the layout code finds.
fn description(types: &KernelTypes) -> String {
    let mut text = format!("{:#?}\n\n", read(types).unwrap());
    for hook in hooks() {
        let found = arguments(types, &hook);
        let fits = found.as_deref().is_some_and(|found| fit(found, &hook));
        writeln!(text, "{} at {}: fits: {fits}: {found:?}", hook.program, hook.target).unwrap();
    }
    for (title, reasons) in [(REASON, rst_reasons(types)), (DROP, drop_reasons(types))] {
        let mut sorted: Vec<_> = reasons.into_iter().collect();
        sorted.sort();
        writeln!(text, "\n{title}").unwrap();
        for (number, name) in sorted {
            writeln!(text, "{number:4} {name}").unwrap();
        }
    }
    text
}

fn file(version: &str, extension: &str) -> PathBuf {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/layout/tests");
    PathBuf::from(directory).join(format!("{version}.{extension}"))
}

fn recorded(version: &str) -> KernelTypes {
    KernelTypes::parse(fs::read(file(version, "btf")).unwrap()).unwrap()
}

#[test]
fn recorded_kernels_have_the_layout_that_was_found_in_the_whole() {
    for version in VERSIONS {
        let expected = fs::read_to_string(file(version, "txt")).unwrap();
        assert_eq!(description(&recorded(version)), expected, "{version}");
    }
}

/// What differs between kernels, from their sources.
#[test]
fn functions_that_begin_otherwise_do_not_fit() {
    let fits = |hook: &Hook| {
        VERSIONS.map(|version| {
            let found = arguments(&recorded(version), hook);
            found.as_deref().is_some_and(|found| fit(found, hook))
        })
    };
    let [tracepoint, _] = &RST_TRACEPOINT;
    let [active, v4, v6] = &RST_FUNCTIONS;
    assert_eq!(fits(tracepoint), [false, true, true]);
    assert_eq!(fits(active), [true, false, true]);
    for hook in [v4, v6, &RETRANSMIT_SKB, &SET_STATE].into_iter().chain(&HOOKS) {
        assert_eq!(fits(hook), [true; 3], "{}", hook.program);
    }
}

#[test]
fn numbers_are_those_of_each_kernel() {
    let layout = |version| read(&recorded(version)).unwrap();
    let [old, middle, new] = VERSIONS.map(layout);
    // SKB_CONSUMED came before them in 6.2.
    let numbers = |layout: KernelLayout| (layout.not_specified, layout.no_socket);
    assert_eq!([old, middle, new].map(numbers), [(1, 2), (2, 3), (2, 3)]);
    // `enum sk_rst_reason` is an argument since 6.10, and `tcp_retransmit_skb` reports its error since 6.17.
    let absent = |layout: KernelLayout| {
        let [active, answer] = [layout.active_reset_reason, layout.v4_reset_reason];
        [active, answer, layout.retransmit_error].map(|argument| argument == ABSENT)
    };
    assert_eq!(absent(old), [true, true, true]);
    // The BTF of this 6.12 has `tcp_send_active_reset` without its second argument.
    assert_eq!(absent(middle), [true, false, true]);
    assert_eq!(absent(new), [false, false, false]);
    for layout in [old, middle, new] {
        // The start of `struct sock_common` is the same everywhere: addresses, hash, ports, family, state.
        let socket = layout.socket;
        let start = [socket.remote_v4, socket.local_v4, socket.remote_port, socket.local_port];
        assert_eq!(start, [0, 4, 12, 14]);
        assert_eq!((socket.family, socket.state), (16, 18));
        // `cb` of `struct sk_buff` begins at 40, and `tcp_flags` is at 12 or 13 in it.
        assert!((52..=53).contains(&layout.packet.tcp_flags), "{layout:?}");
    }
}

/// What frees a packet without dropping it, or ends every healthy connection, is not reported.
#[test]
fn reasons_that_are_no_drops_are_not_reported() {
    for version in VERSIONS {
        let types = recorded(version);
        let mask = read(&types).unwrap().drop_reasons;
        let names = drop_reasons(&types);
        let is_reported = |number: i32| {
            let word = usize::try_from(number / 64).ok().and_then(|word| mask.get(word));
            word.is_some_and(|word| word >> (number % 64) & 1 == 1)
        };
        for (number, name) in &names {
            let is_drop = !UNREPORTED.contains(&name.as_str()) && *number >= 0;
            assert_eq!(is_reported(*number), is_drop, "{version}: {number} {name}");
        }
        let known: Vec<_> = names.values().map(String::as_str).collect();
        assert!(known.contains(&"NOT_DROPPED_YET"), "{version}: {known:?}");
        assert_eq!(known.contains(&"CONSUMED"), version != "6.1", "{version}: {known:?}");
    }
}

#[test]
fn what_is_missing_is_absent_and_not_something_else() {
    let without = |name: &str| {
        let mut bytes = fs::read(file("6.18", "btf")).unwrap();
        let whole = [b"\0", name.as_bytes(), b"\0"].concat();
        let at = bytes.windows(whole.len()).position(|found| found == whole).unwrap();
        bytes[at + 1] = b'X';
        read(&KernelTypes::parse(bytes).unwrap())
    };
    let all = read(&recorded("6.18")).unwrap();
    for required in ["sock", "sk_buff", "skc_state", "transport_header", "tcp_skb_cb"] {
        assert_eq!(without(required), None, "{required}");
    }
    let tcp = TcpLayout { snd_nxt: ABSENT, ..all.tcp };
    assert_eq!(without("snd_nxt"), Some(KernelLayout { tcp, ..all }));
    assert_eq!(without("net_cookie"), Some(KernelLayout { net_cookie: ABSENT, ..all }));
    let socket = SocketLayout { local_v6: ABSENT, ..all.socket };
    assert_eq!(without("skc_v6_rcv_saddr"), Some(KernelLayout { socket, ..all }));
}

#[test]
fn nothing_that_the_layout_asks_for_is_lost_by_the_reduction() {
    let Ok(whole) = fs::read(VMLINUX) else {
        eprintln!("skipped: this kernel has no {VMLINUX}");
        return;
    };
    let described = |bytes| description(&KernelTypes::parse(bytes).unwrap());
    let reduced = reduced(whole.clone());
    assert!(reduced.len() < 50_000, "{} bytes", reduced.len());
    assert_eq!(described(reduced), described(whole));
}

/// Compares the recorded files with the kernels' own, or makes them again.
#[test]
#[ignore = "needs the whole BTF files: `cargo xtask btf` runs it"]
fn recorded_files_are_the_kernels_own() {
    let directory = PathBuf::from(env::var_os(WHOLE).unwrap());
    let update = env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
    let mut found = 0;
    for version in VERSIONS {
        let Ok(whole) = fs::read(directory.join(format!("{version}.btf"))) else { continue };
        found += 1;
        let text = description(&KernelTypes::parse(whole.clone()).unwrap());
        let reduced = reduced(whole);
        if update {
            fs::write(file(version, "btf"), &reduced).unwrap();
            fs::write(file(version, "txt"), &text).unwrap();
        }
        assert_eq!(fs::read_to_string(file(version, "txt")).unwrap(), text, "{version}");
        assert!(fs::read(file(version, "btf")).unwrap() == reduced, "{version}.btf differs");
        assert_eq!(description(&recorded(version)), text, "{version}");
    }
    assert!(found > 0, "no whole file of {VERSIONS:?} in {}", directory.display());
}
