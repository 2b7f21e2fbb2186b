//! Finds the eBPF object that `cargo xtask build` made and hands its path to `trace::loader`.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=PROBE_AGENT_EBPF_OBJECT");
    let object =
        std::env::var_os("PROBE_AGENT_EBPF_OBJECT").map_or_else(default_place, PathBuf::from);
    println!("cargo::rerun-if-changed={}", object.display());
    if !object.is_file() {
        println!(
            "cargo::error=the eBPF object {} is missing: run `cargo xtask build` (it sets up the eBPF toolchain and builds both halves)",
            object.display()
        );
        return;
    }
    println!("cargo::rustc-env=PROBE_AGENT_EBPF_OBJECT={}", object.display());
}

/// Where `cargo xtask build` puts it, beside this package: `target/ebpf` of the workspace. Asked for
/// when this runs: a target directory that was copied to another checkout has the old place in it.
fn default_place() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default())
        .join("../../target/ebpf/probe-agent.bpf.o")
}
