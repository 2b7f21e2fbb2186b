//! Keeps the transcript of each machine: the same kernel with the same file system need not boot again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache;
use crate::failure::{Failure, OrFail, Result};
use crate::progress::note;

use super::boot::{self, Machine};
use super::image;
use super::package::Kernel;
use super::situation::Boot;
use super::transcript::{self, Transcript};

/// The transcript of a kernel with this agent. One that is not good is not kept: the next run boots again.
pub(super) fn of(
    kernel: &Kernel,
    agent: &Path,
    boot: &Boot,
    is_good: impl Fn(&Transcript) -> bool,
) -> Result<Transcript> {
    let directory = cache::directory()?.join("vm").join("transcripts");
    fs::create_dir_all(&directory).or_fail(|| format!("create {}", directory.display()))?;
    let files = Files::at(&directory, boot);
    let image = image::make(kernel, agent, boot)?;
    fs::write(&files.initramfs, image)
        .or_fail(|| format!("write {}", files.initramfs.display()))?;
    let kept = directory.join(format!("{}.txt", key(kernel, &files.initramfs, boot)?));
    if let Some(known) = fs::read_to_string(&kept).ok().as_deref().and_then(transcript::parse) {
        note("the kernel and the agent have not changed since it ran");
        return Ok(known);
    }
    boot::run(&Machine {
        kernel: &boot::kernel(&kernel.root)?,
        initramfs: &files.initramfs,
        parameters: boot.parameters,
        report: &files.report,
        console: &files.console,
    })?;
    let report = fs::read(&files.report);
    let report = report.or_fail(|| format!("read {}", files.report.display()))?;
    let report = String::from_utf8_lossy(&report);
    let found = transcript::parse(&report).ok_or_else(|| {
        Failure::new("the virtual machine did not report everything")
            .remedy(format!("read its console: {}", files.console.display()))
    })?;
    if is_good(&found) {
        fs::write(&kept, &*report).or_fail(|| format!("write {}", kept.display()))?;
    }
    Ok(found)
}

/// What a machine reads and writes. The next one with the same parameters overwrites it.
struct Files {
    initramfs: PathBuf,
    report: PathBuf,
    console: PathBuf,
}

impl Files {
    fn at(directory: &Path, boot: &Boot) -> Self {
        let of = |what: &str| directory.join(format!("last-{}.{what}", boot.name));
        Self { initramfs: of("cpio"), report: of("report"), console: of("console") }
    }
}

/// What names a result: everything that it depends on.
fn key(kernel: &Kernel, initramfs: &Path, boot: &Boot) -> Result<String> {
    let image = cache::sha256(initramfs)?;
    let short = |sum: &str| sum.chars().take(20).collect::<String>();
    Ok(format!("{}-{}-{}-{}", kernel.name, boot.name, short(&kernel.sha256), short(&image)))
}
