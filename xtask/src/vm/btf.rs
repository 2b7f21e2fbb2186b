//! Makes the recorded BTF of the tests: takes it out of kernel images, and lets the kernel crate reduce it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::package::{self, Kernel};
use super::{DOCUMENTED, files};
use crate::command;
use crate::failure::{Failure, OrFail, Result};
use crate::progress::{note, step};
use crate::setup::{self, Scope};
use crate::workspace;

/// Where the running kernel shows its own.
const RUNNING: &str = "/sys/kernel/btf/vmlinux";

/// The test that compares the recorded files with the whole ones, or writes them.
const TEST: &str = "recorded_files_are_the_kernels_own";

/// How each compressed kernel begins, and what unpacks it.
const COMPRESSIONS: [(&[u8], &str); 3] = [
    (&[0x02, 0x21, 0x4c, 0x18], "lz4"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz"),
];

/// Writes the recorded BTF of the documented kernels and of the running one, or compares it.
pub(crate) fn record(check: bool) -> Result<()> {
    setup::ready(Scope::Vm)?;
    let whole = workspace::target_dir()?.join("btf");
    fs::create_dir_all(&whole).or_fail(|| format!("create {}", whole.display()))?;
    for prefix in DOCUMENTED {
        let version = version(prefix.trim_start_matches("linux-image-"));
        step(&format!("BTF of {prefix}*"), || {
            let bytes = of(&package::fetch(prefix)?, &whole)?;
            write(&whole.join(format!("{version}.btf")), &bytes)
        })?;
    }
    let release = command::capture(Command::new("uname").arg("-r"))?;
    match fs::read(RUNNING) {
        Ok(bytes) => write(&whole.join(format!("{}.btf", version(&release))), &bytes)?,
        Err(error) => note(&format!("not the running kernel's, {RUNNING}: {error}")),
    }
    step("the recorded files", || {
        let mut cargo = workspace::cargo()?;
        cargo.args(["test", "--package", "probe-agent-kernel", "--lib", TEST, "--", "--ignored"]);
        cargo.env("PROBE_AGENT_BTF", &whole).env("UPDATE_GOLDEN", if check { "0" } else { "1" });
        command::run(&mut cargo)
    })
}

/// The first two numbers of a version.
fn version(of: &str) -> String {
    let mut parts = of.trim().split(|c: char| !c.is_ascii_digit());
    [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()].join(".")
}

/// The BTF of a kernel image.
fn of(kernel: &Kernel, scratch: &Path) -> Result<Vec<u8>> {
    let boot = kernel.root.join("boot");
    let entries = fs::read_dir(&boot).or_fail(|| format!("read {}", boot.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let image = paths.find(|path| files::name(path).starts_with("vmlinuz-"));
    let image = image.ok_or_else(|| Failure::new(format!("no vmlinuz in {}", boot.display())))?;
    let bytes = fs::read(&image).or_fail(|| format!("read {}", image.display()))?;
    let odd = |what| Failure::new(format!("{}: {what}", image.display()));
    let packed = payload(&bytes).ok_or_else(|| odd("no bzImage"))?;
    let known = COMPRESSIONS.iter().find(|(magic, _)| packed.starts_with(magic));
    let (_, program) = known.ok_or_else(|| odd("compressed in an unknown way"))?;
    let file = scratch.join("payload");
    write(&file, packed)?;
    let mut unpack = Command::new(program);
    unpack.arg("-dc").arg(&file).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = unpack.output().or_fail(|| format!("start {program}"))?;
    if !output.status.success() {
        return Err(odd("it cannot be unpacked"));
    }
    section(&output.stdout).map(<[u8]>::to_vec).ok_or_else(|| odd("no BTF in it"))
}

/// The compressed kernel of a bzImage (Documentation/arch/x86/boot.rst), without the length that follows it.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let setup = (usize::from(*image.get(0x1f1)?) + 1) * 512;
    let begin = setup.checked_add(word(image, 0x248)?)?;
    let length = word(image, 0x24c)?.checked_sub(4)?;
    image.get(begin..begin.checked_add(length)?)
}

/// The BTF of an unpacked kernel: the largest part of it that begins with a header of one.
fn section(kernel: &[u8]) -> Option<&[u8]> {
    const HEADER: [u8; 8] = [0x9f, 0xeb, 1, 0, 24, 0, 0, 0];
    let begins = |at: &usize| kernel.get(*at..).is_some_and(|rest| rest.starts_with(&HEADER));
    let of = |at: usize| {
        let (types, names) = (word(kernel, at + 12)?, word(kernel, at + 16)?);
        // The names follow the types.
        let end = at + HEADER.len() + 16 + types + word(kernel, at + 20)?;
        if types == names { kernel.get(at..end) } else { None }
    };
    // It is aligned in the image.
    (0..kernel.len()).step_by(4).filter(begins).filter_map(of).max_by_key(|found| found.len())
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    let word = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(word)).ok()
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).or_fail(|| format!("write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_two_numbers() {
        assert_eq!(version("6.12.117+deb12-cloud-amd64"), "6.12");
        assert_eq!(version("6.1."), "6.1");
        assert_eq!(version("7.3-rc1\n"), "7.3");
    }

    #[test]
    fn the_largest_btf_of_a_kernel_is_found() {
        let btf = |types: u32, names: u32| {
            let mut bytes = vec![0x9f, 0xeb, 1, 0, 24, 0, 0, 0];
            bytes.extend([0, types, types, names].iter().flat_map(|word| word.to_le_bytes()));
            bytes.extend(vec![7; (types + names) as usize]);
            bytes
        };
        let kernel = [vec![1; 8], btf(8, 4), vec![0; 4], btf(40, 20), vec![2; 5]].concat();
        assert_eq!(section(&kernel), Some(&btf(40, 20)[..]));
        assert_eq!(section(&kernel[..60]), Some(&btf(8, 4)[..]));
        assert_eq!(section(&[0; 64]), None);
    }

    #[test]
    fn the_payload_of_an_image_has_no_length() {
        let mut image = vec![0; 1024 + 300];
        image[0x1f1] = 1;
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&12_u32.to_le_bytes());
        image[1040..1048].copy_from_slice(b"\x02\x21\x4c\x18lz4.");
        assert_eq!(payload(&image), Some(&b"\x02\x21\x4c\x18lz4."[..]));
        assert_eq!(payload(&image[..512]), None);
    }
}
