//! The public surface of the crate is kept in `public-api.txt`, so that a change shows in a diff.
//!
//! rustdoc writes it as JSON. That is an unstable option, for which `RUSTC_BOOTSTRAP=1` is enough.

use std::{env, fs, io::Write as _, path::Path, process::Command};

use serde_json::Value;

/// The version of rustdoc's JSON that the crate `public-api` reads.
const FORMAT: u64 = 57;

/// The crate that `Outcome` and the other re-exported types are from: its alias in the sources, and its
/// name.
const RE_EXPORTED: (&str, &str) = ("model", "probe_agent_model");

/// Auto traits and internal traits that embedders do not rely on. They vary with the compiler.
const UNSTABLE_TRAITS: [&str; 5] =
    ["Freeze", "UnsafeUnpin", "StructuralPartialEq", "UnwindSafe", "RefUnwindSafe"];

#[test]
fn the_surface_is_as_recorded() {
    let Some(surface) = surface() else { return };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("public-api.txt");
    if env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(&file, &surface).unwrap();
    }
    let recorded = fs::read_to_string(&file).unwrap_or_default();
    let lacks = |text: &str, line: &str| !text.lines().any(|l| l == line);
    let added = surface.lines().filter(|l| lacks(&recorded, l)).map(|l| format!("+ {l}\n"));
    let removed = recorded.lines().filter(|l| lacks(&surface, l)).map(|l| format!("- {l}\n"));
    assert!(
        surface == recorded,
        "the public surface has changed:\n{}to record it: UPDATE_GOLDEN=1 cargo test -p probe-agent-checker --test public_api",
        added.chain(removed).collect::<String>()
    );
}

/// One line for each public item. `None`, visibly, if rustdoc writes a JSON that cannot be read.
fn surface() -> Option<String> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("public-api");
    let mut rustdoc = Command::new(env!("CARGO"));
    rustdoc
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["doc", "--quiet", "--lib", "--no-deps", "--package", "probe-agent-model"])
        .args(["--package", "probe-agent-checker", "--target-dir"])
        .arg(&directory)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json")
        .env_remove("CARGO_BUILD_TARGET");
    let output = rustdoc.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let json = |name: &str| directory.join("doc").join(name).with_extension("json");
    let checker = fs::read_to_string(json("probe_agent_checker")).unwrap();
    let checker: Value = serde_json::from_str(&checker).unwrap();
    let format = checker["format_version"].as_u64();
    if format != Some(FORMAT) {
        // Written to the stream itself, because the test harness hides what a passing test prints.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED (needs the rustdoc of Rust 1.95): the_surface_is_as_recorded: its JSON has version {format:?}, not {FORMAT}"
        );
        return None;
    }
    let re_exported = re_exported(&checker);
    let mut surface = items(&json("probe_agent_checker"));
    let of_others = items(&json(RE_EXPORTED.1));
    surface.extend(
        of_others.into_iter().filter(|line| re_exported.iter().any(|path| declares(line, path))),
    );
    for line in &surface {
        let foreign = |path: &&str| !is_known(path, &re_exported);
        assert_eq!(paths(line).find(foreign), None, "a type of another crate is public: {line}");
    }
    Some(surface.join("\n") + "\n")
}

/// The public items of a crate. A trait's functions are left out: they follow from its `impl`.
fn items(json: &Path) -> Vec<String> {
    let api =
        public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).build().unwrap();
    let mut in_trait_impl = false;
    let mut items = Vec::new();
    for line in api.items().map(ToString::to_string) {
        let is_function = line.split_once("fn ").is_some_and(|(before, _)| !before.contains("::"));
        if is_function && in_trait_impl {
            continue;
        }
        in_trait_impl = line.starts_with("impl") && line.contains(" for ");
        let unstable = |name: &str| line.contains(&format!("::{name} for "));
        if !UNSTABLE_TRAITS.iter().any(|name| unstable(name)) {
            items.push(line);
        }
    }
    items
}

/// Paths of the items that are re-exported from another crate.
fn re_exported(json: &Value) -> Vec<String> {
    let uses =
        json["index"].as_object().unwrap().values().map(|item| &item["inner"]["use"]["source"]);
    let prefix = format!("{}::", RE_EXPORTED.0);
    let mut paths: Vec<String> = uses
        .filter_map(|source| source.as_str()?.strip_prefix(&prefix))
        .map(|path| format!("{}::{path}", RE_EXPORTED.1))
        .collect();
    paths.sort();
    paths
}

/// All paths in a line.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    line.split(move |c| !in_path(c)).filter(|word| word.contains("::"))
}

/// Whether a line declares this item or a part of it.
fn declares(line: &str, item: &str) -> bool {
    let subject = line.split_once(" for ").map_or(line, |(_, subject)| subject);
    paths(subject).next().is_some_and(|path| is_part(path, item))
}

fn is_part(path: &str, item: &str) -> bool {
    path.strip_prefix(item).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether embedders can name this path: it is the standard library's, the crate's own or re-exported.
fn is_known(path: &str, re_exported: &[String]) -> bool {
    const ROOTS: [&str; 5] = ["alloc::", "core::", "std::", "probe_agent_checker::", "Self::"];
    ROOTS.iter().any(|root| path.starts_with(root))
        || re_exported.iter().any(|item| is_part(path, item))
}
