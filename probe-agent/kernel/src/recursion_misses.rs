//! How often the kernel's recursion guard skipped a program.
//!
//! A program does not run while the same program already runs on that CPU (`__bpf_trace_run`,
//! `__bpf_prog_enter_recur`): an interrupt that comes in between is not observed. The kernel counts this
//! for each program (`bpf_prog_inc_misses_counter`); each may have been an event of ours.

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

/// No such file is longer.
const ENOUGH: usize = 1024;

/// The counts of the attached programs.
#[derive(Debug, Default)]
pub(crate) struct RecursionMisses(Vec<File>);

impl RecursionMisses {
    /// Adds a loaded program, which must stay loaded at this descriptor.
    ///
    /// # Errors
    /// If `/proc` does not show the descriptor, or the kernel does not count (before 5.12).
    pub(crate) fn add(&mut self, program: BorrowedFd<'_>) -> io::Result<()> {
        let file = File::open(format!("/proc/self/fdinfo/{}", program.as_raw_fd()))?;
        of(&file).ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        self.0.push(file);
        Ok(())
    }

    /// How often one of the programs was skipped. One that cannot be read any more counts none.
    #[must_use]
    pub(crate) fn count(&self) -> u64 {
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
