//! The structure of the source: layers, cycles between modules, sizes of files, READMEs.
//!
//! Fast and without privilege. Nothing is compiled; the source is parsed with `syn`.

mod cycles;
mod module_tree;
mod uses;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The layers, from the bottom up. A crate may depend on crates of lower layers only, never on one
/// of its own layer.
const LAYERS: [&[&str]; 7] = [
    &["common"],
    &["model"],
    &["explain", "kernel", "config"],
    &["engine", "metrics"],
    &["checker", "report", "otlp", "lab", "web"],
    &["demo", "service"],
    &["agent"],
];

/// These depend on none of our crates.
const INDEPENDENT: [&str; 3] = ["common", "lab", "xtask"];

/// These may depend on everything, and none of the layers depends on them.
const BESIDE: [&str; 4] = ["bench", "tests", "ebpf", "xtask"];

/// These have no unsafe code.
const SAFE: [&str; 5] = ["model", "explain", "config", "metrics", "web"];

/// The most lines that a source file may have.
const LINES: usize = 300;

/// The directory of a crate, and the name that it has in the lists above.
struct Package {
    name: String,
    directory: PathBuf,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a directory of the workspace")
}

/// All crates of the workspace.
fn packages() -> Vec<Package> {
    let inner = fs::read_dir(root().join("probe-agent")).expect("the directory of the crates");
    let inner = inner.map(|entry| entry.expect("an entry of it").path());
    let outer = ["probe-agent-common", "probe-agent-ebpf", "tests", "xtask"];
    let mut packages: Vec<Package> = inner
        .chain(outer.map(|name| root().join(name)))
        .filter(|directory| directory.join("Cargo.toml").is_file())
        .map(|directory| {
            let name = directory.file_name().expect("it has a name").to_string_lossy();
            Package { name: short(&name).to_owned(), directory }
        })
        .collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    packages
}

/// `common` for `probe-agent-common`.
fn short(name: &str) -> &str {
    name.strip_prefix("probe-agent-").unwrap_or(name)
}

/// The names of the dependencies in a manifest, with those of its tests and its build script.
fn dependencies(package: &Package) -> Vec<String> {
    let manifest = fs::read_to_string(package.directory.join("Cargo.toml")).expect("a manifest");
    let mut inside = false;
    let mut names = Vec::new();
    for line in manifest.lines() {
        if let Some(section) = line.strip_prefix('[') {
            inside = section.trim_end().ends_with("dependencies]");
        } else if inside && let Some((name, _)) = line.split_once(['.', ' ', '=']) {
            names.push(short(name).to_owned());
        }
    }
    names
}

/// All source files below a directory.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("an entry of a directory").path()) {
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn no_crate_depends_on_a_layer_above_it() {
    let packages = packages();
    let ours = |name: &String| packages.iter().any(|package| package.name == *name);
    let layer = |name: &str| LAYERS.iter().position(|layer| layer.contains(&name));
    let mut wrong = Vec::new();
    for package in &packages {
        let name = package.name.as_str();
        let own = layer(name);
        assert!(own.is_some() || BESIDE.contains(&name), "{name} is in no layer: add it");
        for dependency in dependencies(package).iter().filter(|name| ours(name)) {
            let allowed = match (own, layer(dependency)) {
                _ if INDEPENDENT.contains(&name) => false,
                (None, _) => true,
                (Some(own), Some(other)) => other < own,
                (Some(_), None) => false,
            };
            if !allowed {
                wrong.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "against the layers:\n{}", wrong.join("\n"));
}

#[test]
fn the_layers_depend_on_something() {
    // Otherwise the test above would have read the manifests wrongly.
    let of = |name: &str| {
        let package = packages().into_iter().find(|package| package.name == name);
        dependencies(&package.expect("a crate of the workspace"))
    };
    assert!(of("agent").contains(&"engine".to_owned()));
    assert!(of("model").contains(&"common".to_owned()));
}

#[test]
fn pure_layers_forbid_unsafe_code() {
    for name in SAFE {
        let file = root().join("probe-agent").join(name).join("src/lib.rs");
        let text = fs::read_to_string(&file).expect("the root of a crate");
        let forbids = text.lines().any(|line| line == "#![forbid(unsafe_code)]");
        assert!(forbids, "{} does not forbid unsafe code", file.display());
    }
}

#[test]
fn sibling_modules_do_not_use_each_other() {
    let mut failures = Vec::new();
    for package in packages() {
        for file in ["src/lib.rs", "src/main.rs"] {
            let file = package.directory.join(file);
            if !file.is_file() {
                continue;
            }
            for cycle in cycles::of(&module_tree::read(&file)) {
                let uses = cycle.uses.join("\n  ").replace(&format!("{}/", root().display()), "");
                failures.push(format!(
                    "cycle in {} between {}:\n  {uses}",
                    package.name,
                    cycle.modules.join(", ")
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn source_files_are_short() {
    let mut long = Vec::new();
    for package in packages().iter().filter(|p| !["tests", "xtask"].contains(&p.name.as_str())) {
        for file in sources(&package.directory.join("src")) {
            let is_test = file.iter().any(|part| part == "tests" || part == "tests.rs");
            let lines = fs::read_to_string(&file).expect("a source file").lines().count();
            if lines > LINES && !is_test {
                long.push(format!("{}: {lines} lines", file.display()));
            }
        }
    }
    assert!(long.is_empty(), "more than {LINES} lines:\n{}", long.join("\n"));
}

/// A library that panics or prints takes that decision away from its program.
#[test]
fn libraries_deny_what_panics_or_prints() {
    let lints =
        ["expect_used", "panic", "print_stderr", "print_stdout", "unreachable", "unwrap_used"];
    let packages = packages();
    let mut missing = Vec::new();
    for package in packages.iter().filter(|p| p.name != "tests") {
        // What has no `std` neither prints nor unwinds.
        let Ok(text) = fs::read_to_string(package.directory.join("src/lib.rs")) else { continue };
        if text.contains("#![no_std]") {
            continue;
        }
        let denied = |lint: &&&str| text.contains(&format!("clippy::{lint}"));
        missing.extend(lints.iter().filter(|lint| !denied(lint)).map(|lint| (&package.name, lint)));
    }
    assert!(missing.is_empty(), "not denied: {missing:?}");
}

#[test]
fn each_crate_says_what_it_may_not_do() {
    let mut missing = Vec::new();
    for package in packages() {
        let readme = package.directory.join("README.md");
        let text = fs::read_to_string(&readme).unwrap_or_default();
        if !text.lines().any(|line| line.starts_with("May not ")) {
            missing.push(readme.display().to_string());
        }
    }
    assert!(missing.is_empty(), "no line \"May not …\" in:\n{}", missing.join("\n"));
}

#[test]
fn the_files_that_a_readme_names_exist() {
    let mut missing = Vec::new();
    for package in packages() {
        let readme = package.directory.join("README.md");
        let text = fs::read_to_string(&readme).unwrap_or_default();
        let named = text.split('`').skip(1).step_by(2).filter(|word| word.ends_with(".rs"));
        let gone = named.filter(|file| !package.directory.join(file).is_file());
        missing.extend(gone.map(|file| format!("{}: {file}", readme.display())));
    }
    assert!(missing.is_empty(), "no such file:\n{}", missing.join("\n"));
}
