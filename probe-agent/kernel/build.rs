//! Finds the eBPF object and passes its path to the crate as `PROBE_AGENT_EBPF_OBJECT`.
//!
//! The first of these is taken:
//!
//! 1. `probe-agent.bpf.o` beside this file: a package from `cargo xtask package` carries it,
//! 2. the file that the environment variable `PROBE_AGENT_EBPF_OBJECT` names,
//! 3. `target/ebpf/probe-agent.bpf.o` of the workspace, where `cargo xtask build` puts it.

use std::{env, path::PathBuf};

const OBJECT: &str = "probe-agent.bpf.o";
const VARIABLE: &str = "PROBE_AGENT_EBPF_OBJECT";

fn main() {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let object = find();
    println!("cargo::rerun-if-changed={}", object.display());
    if !object.is_file() {
        println!(
            "cargo::error=the eBPF object {} is missing: in a checkout, run `cargo xtask build`, which sets up the eBPF toolchain and builds the object; elsewhere, set {VARIABLE} to the path of an object of the same version",
            object.display()
        );
        return;
    }
    println!("cargo::rustc-env={VARIABLE}={}", object.display());
}

fn find() -> PathBuf {
    // Read at run time: a target directory that was copied to another checkout was compiled with the
    // path of the first one.
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let packaged = package.join(OBJECT);
    if packaged.is_file() {
        return packaged;
    }
    match env::var_os(VARIABLE) {
        Some(named) => PathBuf::from(named),
        None => package.join("../../target/ebpf").join(OBJECT),
    }
}
