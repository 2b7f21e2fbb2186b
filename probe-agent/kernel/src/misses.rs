//! How often the kernel skipped a hook.
//!
//! A program of a tracepoint record does not run while any other of that kind runs, or `bpf()` looks
//! up an element, on the same CPU (`trace_call_bpf`); one of a raw tracepoint does not run while it
//! runs itself there (`__bpf_trace_run`). An interrupt that comes in between finds the door shut, and
//! what it does is not told. The kernel counts these per program (`bpf_prog_inc_misses_counter`);
//! each may have been an event of ours.

use std::{
    fs::File,
    io,
    os::{
        fd::{AsRawFd, BorrowedFd},
        unix::fs::FileExt,
    },
};

/// The line of `/proc/PID/fdinfo/FD` that counts (`bpf_prog_show_fdinfo`, since 5.12).
const FIELD: &str = "recursion_misses:";

/// The fields come first; none of these files is longer.
const ENOUGH: usize = 1024;

/// The counts of the hooks.
#[derive(Debug, Default)]
pub struct Misses(Vec<File>);

impl Misses {
    /// Adds a loaded program, which must stay loaded at this descriptor.
    ///
    /// # Errors
    /// If `/proc` does not tell about the descriptor.
    pub(super) fn watch(&mut self, program: BorrowedFd<'_>) -> io::Result<()> {
        self.0.push(File::open(format!("/proc/self/fdinfo/{}", program.as_raw_fd()))?);
        Ok(())
    }

    /// How often one of the programs was skipped. One that cannot be read any more counts none.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().map(|file| of(file).unwrap_or(0)).sum()
    }
}

fn of(file: &File) -> Option<u64> {
    let mut buffer = [0; ENOUGH];
    let length = file.read_at(&mut buffer, 0).ok()?;
    parse(std::str::from_utf8(buffer.get(..length)?).ok()?)
}

fn parse(fdinfo: &str) -> Option<u64> {
    fdinfo.lines().find_map(|line| line.strip_prefix(FIELD))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_count_is_found_among_the_other_fields() {
        let fdinfo = "pos:\t0\nflags:\t02000002\nprog_type:\t5\nprog_tag:\t0a1b\n\
                      run_cnt:\t0\nrecursion_misses:\t17\nverified_insns:\t312\n";
        assert_eq!(parse(fdinfo), Some(17));
        assert_eq!(parse("pos:\t0\n"), None);
    }
}
