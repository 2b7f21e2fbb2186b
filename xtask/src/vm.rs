//! Runs the demo on other kernels, in virtual machines, and writes down what each of them shows.
//!
//! ```text
//!   package     a kernel of the package archive, unpacked, not installed
//!      |
//!   image       its initramfs: busybox, the agent, a few modules, init.sh and the situations
//!      |
//!   runs        known from the cache, or boot: QEMU, until the machine powers off
//!      |
//!   transcript  what each command in it printed -> demo: the verdicts among that
//!      |
//!   page        docs/kernels.md
//! ```
//!
//! QEMU translates (TCG). Hardware virtualisation is never used: it is not there on most build hosts, and
//! nested it may hang.

mod agent;
mod boot;
pub(crate) mod btf;
mod cpio;
mod demo;
mod files;
mod image;
mod modules;
mod package;
mod page;
mod runs;
mod situation;
mod transcript;
mod value;

use std::fs;
use std::path::Path;

use crate::build;
use crate::failure::{Failure, OrFail, Result};
use crate::progress::{note, step};
use crate::setup::{self, Scope};
use crate::workspace;

use self::package::Kernel;
use self::transcript::Transcript;

/// The kernels that `docs/kernels.md` is about: what their Debian packages begin with.
const DOCUMENTED: [&str; 2] = ["linux-image-6.1.", "linux-image-6.12."];

/// Boots the documented kernels and writes the page, or compares with it; with `packages` boots those and
/// prints the page.
pub(crate) fn run(check: bool, packages: &[String]) -> Result<()> {
    let tools = setup::ready(Scope::Vm)?;
    build::ebpf(&tools)?;
    let agent = agent::build()?;
    let documented = DOCUMENTED.map(str::to_owned);
    let wanted = if packages.is_empty() { &documented[..] } else { packages };
    let mut transcripts = Vec::new();
    for name in wanted {
        let kernel = package::fetch(name)?;
        transcripts.extend(boot_both(&kernel, &agent)?);
    }
    let wrong = page::wrong(&transcripts)?;
    for line in &wrong {
        note(line);
    }
    let page = page::draw(&transcripts)?;
    if packages.is_empty() {
        publish(&page, check)?;
    } else {
        print!("{page}");
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new("something above is not as injected")
        .remedy("a kernel may show less than another, but nothing wrong: see CONTRIBUTING.md"))
}

/// Each kernel boots twice: as it is, and locked down. What is known already is not run again.
fn boot_both(kernel: &Kernel, agent: &Path) -> Result<Vec<Transcript>> {
    situation::BOOTS
        .iter()
        .map(|boot| {
            let title = format!("{} ({}; about two minutes)", kernel.name, boot.title);
            step(&title, || runs::of(kernel, agent, boot, page::is_good))
        })
        .collect()
}

/// Writes the page, or reports that it differs.
fn publish(page: &str, check: bool) -> Result<()> {
    let path = workspace::root().join("docs/kernels.md");
    let old = fs::read_to_string(&path).unwrap_or_default();
    if old == page {
        note("docs/kernels.md is up to date");
        return Ok(());
    }
    if !check {
        note("wrote docs/kernels.md");
        return fs::write(&path, page).or_fail(|| format!("write {}", path.display()));
    }
    for line in page::difference(&old, page) {
        note(&line);
    }
    Err(Failure::new("the kernels show something else than docs/kernels.md says")
        .remedy("run `cargo xtask vm` and look at what it changes there"))
}
